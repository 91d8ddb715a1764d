// Metrics as JSON lines, one object a line, written at once; non-finite numbers are written as strings.
#pragma once
#include <functional>
#include <string>
#include <utility>

#include "run/side_file.hpp"
#include "text/json.hpp"

namespace halfstep::internal {

class MetricsLog {
 public:
  // Does nothing when `path` is empty. Throws Error(io) when it cannot be opened.
  explicit MetricsLog(const std::string& path);

  void on_lost(std::function<void(const std::string& warning)> tell) { file_.on_lost(std::move(tell)); }
  void write(const json::Object& line);
  void close() { file_.close(); }

 private:
  bool wanted_;
  SideFile file_;
};

}  // namespace halfstep::internal
