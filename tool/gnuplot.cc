// SPDX-License-Identifier: Apache-2.0
#include "tool/gnuplot.h"

#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "tool/text.h"

extern char** environ;

namespace actfun::tool {
namespace {

/// A file in memory: the three streams of a child without pipes that could fill up and wait for each other.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("actfun", MFD_CLOEXEC)) {
    if (descriptor_ < 0) fail_errno("memfd_create");
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int descriptor() const { return descriptor_; }
  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t done = ::write(descriptor_, text.data(), text.size());
      if (done < 0) fail_errno("cannot write to gnuplot");
      text.remove_prefix(done);
    }
    lseek(descriptor_, 0, SEEK_SET);
  }
  std::string read() const {
    std::string text(lseek(descriptor_, 0, SEEK_END), '\0');
    std::size_t size = 0;
    for (ssize_t got; (got = pread(descriptor_, text.data() + size, text.size() - size, size)) > 0;) size += got;
    text.resize(size);
    return text;
  }

 private:
  int descriptor_;
};

}  // namespace

std::string gnuplot(std::string_view script) {
  MemoryFile in, out, error;
  in.write(script);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in.descriptor(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, error.descriptor(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;  // the signals that we hold back must reach the child
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

  const char* arguments[] = {"gnuplot", "--default-settings", "-", nullptr};
  pid_t child;
  const int started =
      posix_spawnp(&child, arguments[0], &files, &attributes, const_cast<char* const*>(arguments), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (started == ENOENT) fail("gnuplot is missing: install it (Debian: apt install gnuplot-nox)");
  if (started != 0) errno = started, fail_errno("cannot start gnuplot");

  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) fail_errno("cannot wait for gnuplot");
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 127) fail("gnuplot did not run: {}", trim(error.read()));
  if (WEXITSTATUS(status) != 0) fail("gnuplot failed: {}", error.read());
  return out.read();
}

}  // namespace actfun::tool
