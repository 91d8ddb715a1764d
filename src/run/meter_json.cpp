#include "run/meter_json.hpp"

#include "halfstep/types.hpp"

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

namespace {

Dtype storage_of(const json::Value& tensor) {
  return from_name<Dtype>(tensor.at("storage").as_string()).value_or(Dtype::fp32);
}

TensorMeter tensor_of(const json::Value& v) {
  TensorMeter m;
  m.tensor = v.at("tensor").as_string();
  m.storage = storage_of(v);
  m.elements = v.at("elements").as_integer();
  m.flushed = v.at("flushed").as_integer();
  m.subnormal = v.at("subnormal").as_integer();
  m.saturated = v.at("saturated").as_integer();
  m.non_finite = v.at("non_finite").as_integer();
  m.exponents[0] = v.at("zeros").as_integer();
  std::int64_t at = v.at("exponents").at("first").as_integer() + 127;
  for (const json::Value& count : v.at("exponents").at("counts").as_array()) {
    if (at >= 1 && at < 255) m.exponents[static_cast<std::size_t>(at)] = count.as_integer();
    ++at;
  }
  return m;
}

}  // namespace

MeterReport meter_of_line(const json::Value& line) {
  MeterReport report;
  report.step = line.at("step").as_integer();
  report.applied = line.at("applied").as_bool();
  report.loss_scale = line.at("loss_scale").as_number();
  for (const json::Value& v : line.at("tensors").as_array()) report.tensors.push_back(tensor_of(v));
  for (const json::Value& v : line.at("updates").as_array()) {
    report.updates.push_back(
        {v.at("tensor").as_string(), storage_of(v), v.at("weights").as_integer(), v.at("unchanged").as_integer()});
  }
  return report;
}

}  // namespace halfstep::internal
