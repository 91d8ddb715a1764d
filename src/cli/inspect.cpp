#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::vector<std::string> extents;
  for (const std::int64_t extent : shape) extents.push_back(std::to_string(extent));
  return "[" + joined(extents, ",") + "]";
}

std::string summary_json(const std::string& path, const ModelSummary& model) {
  std::vector<std::string> tensors;
  for (const ModelSummary::Tensor& tensor : model.tensors) {
    tensors.push_back(JsonObject()
                          .text("name", tensor.name)
                          .text("dtype", tensor.dtype)
                          .raw("shape", shape_text(tensor.shape))
                          .str());
  }
  JsonObject config;
  for (const auto& [name, value] : model.config) config.text(name, value);
  JsonObject run;
  for (const auto& [name, value] : model.run) run.text(name, value);
  JsonObject object;
  object.text("command", "inspect").text("file", path).text("format", model.format).text("kind", model.kind);
  object.text("architecture", model.architecture).integer("parameters", model.parameters);
  object.integer("step", model.step).text("precision", model.precision).text("loss_scale", model.loss_scale);
  if (!model.layer_precision.empty()) object.text("layer_precision", model.layer_precision);
  object.text("digest", model.digest).text("weights_digest", model.weights_digest);
  object.raw("tensors", "[" + joined(tensors, ",") + "]").raw("classes", json_array(model.classes));
  object.raw("targets", json_array(model.targets));
  if (model.kind == "classifier") object.number("temperature", model.temperature);
  if (!model.intervals.empty()) object.text("intervals", model.intervals);
  object.raw("preprocessing", json_array(model.preprocessing)).raw("config", config.str());
  if (!model.run.empty()) object.raw("run", run.str());
  return object.line();
}

std::string indented(const std::string& line) { return "  " + printable(line) + "\n"; }

std::string summary_text(const ModelSummary& model) {
  std::string text;
  auto add = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += row(label, value, 16);
  };
  add("format", model.format);
  add("kind", model.kind);
  add("architecture", model.architecture);
  add("parameters", std::to_string(model.parameters));
  add("step", std::to_string(model.step));
  const std::string but = model.layer_precision.empty() ? "" : " but " + model.layer_precision;
  add("precision", model.precision + but);
  add("loss scale", model.loss_scale);
  add("digest", model.digest);
  add("weights digest", model.weights_digest);
  add("classes", joined(model.classes, ", "));
  add(model.targets.size() > 1 ? "targets" : "target", joined(model.targets, ", "));
  if (model.temperature != 1) add("calibration", "logits divided by " + number_text(model.temperature));
  add("intervals", model.intervals);
  if (!model.run.empty()) text += "\nrun\n";
  for (const auto& [name, value] : model.run) text += indented(name + ": " + value);
  text += "\ntensors\n";
  for (const ModelSummary::Tensor& tensor : model.tensors) {
    text += indented(tensor.name + "  " + tensor.dtype + " " + shape_text(tensor.shape));
  }
  if (!model.preprocessing.empty()) text += "\npreprocessing\n";
  for (const std::string& line : model.preprocessing) text += indented(line);
  if (!model.config.empty()) text += "\nparameters of the run\n";
  for (const auto& [name, value] : model.config) text += indented(name + " = " + value);
  return text;
}

}  // namespace

int run_inspect(const Args& args) {
  const std::string& path = args.positional[0];
  const ModelSummary model = inspect(path);
  print(args.json ? summary_json(path, model) : summary_text(model));
  return kOk;
}

}  // namespace halfstep::cli
