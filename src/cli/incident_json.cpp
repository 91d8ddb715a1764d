#include "cli/incident_json.hpp"

#include <vector>

#include "cli/output.hpp"
#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

std::string value_json(const DataValue& v) {
  JsonObject object;
  object.integer("column", v.column).text("name", v.name).number("value", v.value);
  return object.number("raw", v.raw).str();
}

std::string tensor_json(const TensorMeter& m) {
  std::vector<std::string> exponents;
  int last = 255;
  while (last > 0 && m.exponents[static_cast<std::size_t>(last)] == 0) --last;
  for (int i = 0; i <= last; ++i) exponents.push_back(std::to_string(m.exponents[static_cast<std::size_t>(i)]));
  JsonObject object;
  object.text("tensor", m.tensor).text("storage", name(m.storage)).integer("elements", m.elements);
  object.integer("flushed", m.flushed).integer("subnormal", m.subnormal).integer("saturated", m.saturated);
  return object.integer("non_finite", m.non_finite).raw("exponents", "[" + joined(exponents, ",") + "]").str();
}

}  // namespace

std::string incident_json(const Incident& i) {
  std::vector<std::string> recent;
  for (const StepFigures& s : i.recent) {
    JsonObject object;
    object.integer("step", s.step).text("outcome", name(s.outcome)).number("loss", s.loss);
    object.number("grad_norm", s.grad_norm).number("loss_scale", s.loss_scale).number("lr", s.lr);
    recent.push_back(object.str());
  }
  JsonObject object;
  object.integer("step", i.step).integer("applied", i.applied).integer("epoch", i.epoch).integer("batch", i.batch);
  object.text("cause", name(i.cause)).text("reason", name(i.reason)).text("tensor", i.tensor);
  object.text("operation", i.operation).integer("row", i.row).integer("column", i.column);
  object.integer("batch_row", i.batch_row).integer("count", i.count).text("storage", name(i.storage));
  object.number("value", i.value).number("limit", i.limit).number("loss_scale", i.loss_scale);
  object.number("fitting_scale", i.fitting_scale).integer("example", i.example).text("place", i.place);
  object.raw("input", value_json(i.input)).raw("target", value_json(i.target));
  object.raw("recent", "[" + joined(recent, ",") + "]").text("why", i.why).text("advice", i.advice);
  return object.text("tried", i.tried).text("capsule", i.capsule).str();
}

std::string meter_json(const MeterReport& report) {
  std::vector<std::string> tensors, updates;
  for (const TensorMeter& m : report.tensors) tensors.push_back(tensor_json(m));
  for (const UpdateMeter& u : report.updates) {
    JsonObject object;
    object.text("tensor", u.tensor).text("storage", name(u.storage));
    updates.push_back(object.integer("weights", u.weights).integer("unchanged", u.unchanged).str());
  }
  JsonObject object;
  object.integer("step", report.step).boolean("applied", report.applied).number("loss_scale", report.loss_scale);
  return object.raw("tensors", "[" + joined(tensors, ",") + "]").raw("updates", "[" + joined(updates, ",") + "]").str();
}

}  // namespace halfstep::cli
