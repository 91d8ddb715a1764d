// Scalars as TensorBoard reads them: an event file of TensorFlow's (core/util/event.proto, in the records of
// lib/io/record_writer.h).
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halfstep/jobs.hpp"
#include "run/side_file.hpp"

namespace halfstep::internal {

struct Scalar {
  std::string tag;
  float value = 0;
};

// A record with its length and check sums.
std::string framed_record(std::string_view payload);
// What a file begins with, and the scalars of a step. `seconds` since 1970.
std::string version_event(double seconds);
std::string scalars_event(double seconds, std::int64_t step, std::span<const Scalar> scalars);

// Of an epoch: train/loss, eval/accuracy and so on, as the metrics file has them.
std::vector<Scalar> scalars_of(const EpochReport& report);

class EventFile {
 public:
  // Begins a new file in `folder`, which is made where it is missing. Does nothing when `folder` is empty. Throws
  // Error(io).
  explicit EventFile(const std::string& folder);

  void on_lost(std::function<void(const std::string& warning)> tell) { file_.on_lost(std::move(tell)); }
  void write(const EpochReport& report);
  void close() { file_.close(); }

 private:
  bool wanted_;
  bool begun_ = false;
  SideFile file_;
};

}  // namespace halfstep::internal
