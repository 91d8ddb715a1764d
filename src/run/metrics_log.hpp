// Metrics as JSON lines, one object a line, written at once; non-finite numbers are written as strings.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "run/side_file.hpp"
#include "text/json.hpp"

namespace halfstep::internal {

class MetricsLog {
 public:
  // Where a run goes on: after so many attempted steps, and whether an epoch ended with the last of them.
  struct WentOn {
    std::int64_t step = 0;
    bool epoch_ended = false;
  };

  // Does nothing when `path` is empty. Of a run that went on it keeps the lines up to there, and adds to them. Throws
  // Error(io) when it cannot be opened.
  explicit MetricsLog(const std::string& path, const WentOn* went_on = nullptr);

  void on_lost(std::function<void(const std::string& warning)> tell) { file_.on_lost(std::move(tell)); }
  void write(const json::Object& line);
  void close() { file_.close(); }

 private:
  bool wanted_;
  SideFile file_;
};

}  // namespace halfstep::internal
