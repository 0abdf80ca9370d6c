// SPDX-License-Identifier: Apache-2.0
#include "lab/runs.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "tool/text.h"

namespace actfun::lab {

using tool::fail;
using tool::fail_errno;

RunFile::RunFile(const std::filesystem::path& path) : path_(path) {
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_errno("cannot write " + path.string());
  try {
    if (flock(descriptor_, LOCK_EX | LOCK_NB) < 0) fail("{} is in use by another program", path.string());
    struct stat status;
    fstat(descriptor_, &status);
    if (!S_ISREG(status.st_mode)) fail("cannot write {}: not a regular file", path.string());
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t got = pread(descriptor_, text.data() + done, text.size() - done, static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) fail_errno("cannot read " + path.string());
      done += static_cast<std::size_t>(got);
    }
    std::size_t line = 0;
    for (std::size_t start = 0; start < text.size(); ++line) {
      const std::size_t end = text.find('\n', start);
      if (end == text.npos) {
        if (ftruncate(descriptor_, static_cast<off_t>(start)) < 0) fail_errno("cannot write " + path.string());
        break;
      }
      Json run = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(start),
                             text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
      if (!run.is_object() || !run.contains("settings") || !run.contains("outcome"))
        fail("{}: line {} is no run of the lab", path.string(), line + 1);
      remember(std::move(run));
      start = end + 1;
    }
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

RunFile::~RunFile() { close(descriptor_); }

const Json* RunFile::find(const Json& settings) const {
  const auto found = runs_.find(settings.dump());
  return found == runs_.end() ? nullptr : &found->second;
}

void RunFile::remember(Json run) {
  std::string key = run["settings"].dump();
  runs_.insert_or_assign(std::move(key), std::move(run));
}

void RunFile::add(const Json& run) {
  const std::string line = run.dump() + "\n";
  const off_t before = lseek(descriptor_, 0, SEEK_END);
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t written = write(descriptor_, line.data() + done, line.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      const int cut = ftruncate(descriptor_, before);  // if not, the next program that opens the file cuts the line
      static_cast<void>(cut);
      errno = error;
      fail_errno("cannot write " + path_.string());
    }
    done += static_cast<std::size_t>(written);
  }
  fsync(descriptor_);
  remember(Json::parse(line));  // as another program will read it: NaN has become null
}

void do_runs(RunFile& file, const std::vector<Task>& runs, unsigned threads, const std::function<void()>& finished) {
  std::vector<const Task*> missing;
  for (const Task& run : runs)
    if (!file.find(run.settings)) missing.push_back(&run);
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    for (std::size_t i; (i = next++) < missing.size();) {
      try {
        const Json run = missing[i]->work();
        const std::lock_guard lock(mutex);
        if (!file.find(run["settings"])) file.add(run);
        finished();
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = missing.size();
      }
    }
  };
  std::vector<std::jthread> pool;
  for (std::size_t i = 1; i < std::min<std::size_t>(threads, missing.size()); ++i) {
    try {
      pool.emplace_back(work);
    } catch (const std::system_error&) {
      break;  // those that run do the work
    }
  }
  work();
  pool.clear();  // joins
  if (failure) std::rethrow_exception(failure);
}

}  // namespace actfun::lab
