// Metrics as JSON lines, one object a line, flushed at once; non-finite numbers are written as strings.
#pragma once
#include <cstdio>
#include <memory>
#include <string>

#include "base/json.hpp"

namespace halfstep {

class MetricsLog {
 public:
  // Does nothing when `path` is empty. Throws Error(io).
  explicit MetricsLog(const std::string& path);
  void write(const json::Object& line);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace halfstep
