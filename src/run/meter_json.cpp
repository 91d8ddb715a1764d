#include "run/meter_json.hpp"

namespace halfstep::internal {
namespace {

json::Object exponents_json(const TensorMeter& meter) {
  std::size_t first = 1, end = 255;  // without zeros and what is not finite
  while (first < end && meter.exponents[first] == 0) ++first;
  while (end > first && meter.exponents[end - 1] == 0) --end;
  json::Array counts;
  for (std::size_t i = first; i < end; ++i) counts.emplace_back(meter.exponents[i]);
  return {{"first", first == end ? 0 : static_cast<std::int64_t>(first) - 127}, {"counts", counts}};
}

json::Object tensor_json(const TensorMeter& m) {
  return {{"tensor", m.tensor},       {"storage", name(m.storage)}, {"elements", m.elements},
          {"zeros", m.exponents[0]},  {"flushed", m.flushed},       {"subnormal", m.subnormal},
          {"saturated", m.saturated}, {"non_finite", m.non_finite}, {"exponents", exponents_json(m)}};
}

}  // namespace

json::Object meter_line(const MeterReport& report) {
  json::Array tensors, updates;
  for (const TensorMeter& m : report.tensors) tensors.emplace_back(tensor_json(m));
  for (const UpdateMeter& m : report.updates) {
    updates.emplace_back(json::Object{
        {"tensor", m.tensor}, {"storage", name(m.storage)}, {"weights", m.weights}, {"unchanged", m.unchanged}});
  }
  return {{"event", "meter"},   {"step", report.step}, {"applied", report.applied}, {"loss_scale", report.loss_scale},
          {"tensors", tensors}, {"updates", updates}};
}

}  // namespace halfstep::internal
