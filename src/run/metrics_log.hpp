// Metrics as JSON lines, one object a line, written at once; non-finite numbers are written as strings.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "io/posix.hpp"
#include "text/json.hpp"

namespace halfstep::internal {

// A line that cannot be written ends the log, not the run: hours of training are worth more than its curve.
class MetricsLog {
 public:
  // Does nothing when `path` is empty. Throws Error(io) when it cannot be opened: nothing is lost yet.
  explicit MetricsLog(const std::string& path);

  // Called once, with a sentence for the user, when the log ends early.
  void on_lost(std::function<void(const std::string& warning)> tell) { tell_ = std::move(tell); }
  void write(const json::Object& line);
  void close();  // network file systems and quotas report here

 private:
  void lose(int code);

  std::string path_;
  io::Descriptor file_;
  std::int64_t lines_ = 0;
  std::int64_t bytes_ = 0;  // of whole lines
  std::function<void(const std::string&)> tell_;
};

}  // namespace halfstep::internal
