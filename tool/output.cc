// SPDX-License-Identifier: Apache-2.0
#include "tool/output.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mutex>
#include <set>
#include <thread>

#include "tool/text.h"

namespace actfun::tool {
namespace {

namespace fs = std::filesystem;

/// The unfinished paths, and the thread that removes them when a signal ends the program. Waiting for signals in a
/// thread, not a handler, allows ordinary code. The mutex is held while files are created and renamed, and for good
/// once a signal has come: nothing appears after the cleaning.
class Cleaner {
 public:
  static Cleaner& instance() {
    static auto* cleaner = new Cleaner;  // never destroyed: its thread runs to the end
    return *cleaner;
  }
  std::mutex mutex;
  std::set<fs::path> paths;

 private:
  Cleaner() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      struct sigaction action;
      sigaction(signal, nullptr, &action);
      if (action.sa_handler != SIG_IGN) sigaddset(&signals, signal);  // nohup, background jobs
    }
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // threads started later inherit it
    std::thread([this, signals] {
      int signal;
      sigwait(&signals, &signal);
      mutex.lock();
      std::error_code ignored;
      for (const fs::path& path : paths) fs::remove_all(path, ignored);
      ::signal(signal, SIG_DFL);
      pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
      raise(signal);
    }).detach();
  }
};

fs::path beside(const fs::path& target) {
  return target.parent_path() / fmt::format(".{}.{}.unfinished", target.filename().string(), getpid());
}

/// Where the bytes go: through symbolic links, to a regular file or to nothing yet.
fs::path resolve(const fs::path& path) {
  std::error_code error;
  fs::path place = fs::canonical(path, error);
  if (error) place = path;
  const fs::file_status status = fs::status(place, error);
  if (fs::is_directory(status)) fail("cannot write {}: it is a directory", path.string());
  if (fs::exists(status) && !fs::is_regular_file(status)) fail("cannot write {}: not a regular file", path.string());
  if (fs::exists(status) && access(place.c_str(), W_OK) != 0) fail_errno("cannot write " + path.string());
  if (path.filename().empty()) fail("cannot write '{}': a file name is missing", path.string());
  return place;
}

}  // namespace

Unfinished::Unfinished(const fs::path& target) : path_(beside(target)) {
  Cleaner& cleaner = Cleaner::instance();
  const std::lock_guard lock(cleaner.mutex);
  cleaner.paths.insert(path_);
}

Unfinished::~Unfinished() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  keep();
}

void Unfinished::keep() {
  Cleaner& cleaner = Cleaner::instance();
  const std::lock_guard lock(cleaner.mutex);
  cleaner.paths.erase(path_);
  path_.clear();
}

OutputFile::OutputFile(const fs::path& path, const fs::path& shown)
    : shown_(shown), place_(resolve(path)), unfinished_(place_) {
  const std::lock_guard lock(Cleaner::instance().mutex);
  unlink(unfinished_.path().c_str());  // left by a killed program of the same number
  descriptor_ = open(unfinished_.path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_errno("cannot write " + shown_.string());
  struct stat old;
  if (stat(place_.c_str(), &old) == 0) fchmod(descriptor_, old.st_mode & 07777);
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void OutputFile::reserve(std::uint64_t size) {
  if (size == 0) return;
  int result;
  while ((result = fallocate(descriptor_, 0, 0, size)) < 0 && errno == EINTR) {
  }
  if (result < 0 && (errno == ENOSPC || errno == EFBIG || errno == EDQUOT))
    fail_errno("cannot write " + shown_.string());
}

void OutputFile::write(const void* data, std::size_t size, std::uint64_t offset) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t done = pwrite(descriptor_, bytes, size, offset);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail_errno("cannot write " + shown_.string());
    bytes += done, size -= done, offset += done;
  }
}

void OutputFile::commit() {
  const int closed = close(std::exchange(descriptor_, -1));
  if (closed < 0) fail_errno("cannot write " + shown_.string());
  {
    const std::lock_guard lock(Cleaner::instance().mutex);
    if (rename(unfinished_.path().c_str(), place_.c_str()) < 0) fail_errno("cannot write " + shown_.string());
  }
  unfinished_.keep();
}

OutputDirectory::OutputDirectory(const fs::path& path)
    : place_((fs::absolute(path) / "x").lexically_normal().parent_path()),
      merge_(fs::exists(place_)),
      unfinished_(merge_ ? place_ / place_.filename() : place_) {  // inside, it is surely on the same file system
  if (merge_ && !fs::is_directory(place_)) fail("cannot write {}: it is not a directory", path.string());
  const std::lock_guard lock(Cleaner::instance().mutex);
  if (mkdir(unfinished_.path().c_str(), 0777) < 0) fail_errno("cannot write " + path.string());
}

void OutputDirectory::write(std::string_view name, std::string_view bytes) {
  OutputFile file(unfinished_.path() / name, place_ / name);
  file.write(bytes.data(), bytes.size(), 0);
  file.commit();
}

void OutputDirectory::commit() {
  const std::lock_guard lock(Cleaner::instance().mutex);
  if (!merge_) {
    fs::rename(unfinished_.path(), place_);
    return;
  }
  for (const auto& entry : fs::directory_iterator(unfinished_.path()))
    fs::rename(entry.path(), place_ / entry.path().filename());
}

}  // namespace actfun::tool
