// SPDX-License-Identifier: Apache-2.0
// Many runs: side by side on several threads, each written to a file as soon as it is finished, none done twice.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace actfun::lab {

using Json = nlohmann::ordered_json;

/// JSON lines, a finished run each. A run is found again by its `settings`.
class RunFile {
 public:
  /// Makes the file if there is none. A last line without its end (the program was killed as it wrote) is cut off.
  /// Throws when another program has the file open, or a line is no run.
  explicit RunFile(const std::filesystem::path& path);
  ~RunFile();
  RunFile(const RunFile&) = delete;
  RunFile& operator=(const RunFile&) = delete;

  /// The run with these settings; null when there is none. Valid as long as the file.
  const Json* find(const Json& settings) const;
  /// Writes the run at the end, on the disk when this returns. One thread at a time.
  void add(const Json& run);

 private:
  void remember(Json run);

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::map<std::string, Json> runs_;  ///< by settings, as text
};

struct Task {
  Json settings;
  std::function<Json()> work;  ///< gives the record, which begins with these settings
};

/// Does all runs that the file lacks, each on one thread, and calls `finished` after each of them, in one thread at a
/// time. When one throws, those that are under way are finished and kept, and the first exception is thrown again.
void do_runs(RunFile& file, const std::vector<Task>& runs, unsigned threads, const std::function<void()>& finished);

}  // namespace actfun::lab
