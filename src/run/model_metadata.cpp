#include "run/model_metadata.hpp"

#include <charconv>

#include "data/embedded_column.hpp"
#include "halfstep/error.hpp"
#include "loss/loss.hpp"
#include "run/bad_model.hpp"
#include "run/model_spec_json.hpp"
#include "run/output_meaning.hpp"
#include "run/scaler_json.hpp"
#include "text/json.hpp"

namespace halfstep::internal {
namespace {

constexpr std::int64_t kMostNetworks = 1000;

// From `least` to below `end`.
std::int64_t read_count(const io::File& file, const std::string& path, const char* key, std::int64_t least,
                        std::int64_t end) {
  const std::string& text = metadata(file, path, key);
  std::int64_t count = -1;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), count);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || count < least || count >= end) {
    bad_model(path, std::string(key) + " is no number from " + std::to_string(least) + " on");
  }
  return count;
}

void check_format(const io::File& file, const std::string& path, std::string_view wanted) {
  const std::string& format = metadata(file, path, "halfstep.format");
  if (format == wanted) return;
  throw Error(Status::unsupported,
              {.what = "the model has another format version",
               .where = path,
               .why = "it says '" + format.substr(0, 64) + "', this program reads '" + std::string(wanted) + "' here",
               .kept = {},
               .hint = "the halfstep version that wrote it"});
}

void check_outputs(const std::string& path, const SavedModel& model) {
  const data::Preprocessor& p = model.preprocessor;
  const std::size_t outputs = model.spec.widths.back();
  const bool classify = p.task() == Task::classify;
  const bool single = output_meaning(p, model.spec.loss).single_logit;
  // Of rows from memory there may be several values.
  const std::size_t values = p.recipe().is_matrix ? outputs : p.targets().size();
  const std::size_t expected = !classify ? values : single ? 1 : p.classes().size();
  const bool loss_fits = classify == has_labels(model.spec.loss);
  if (p.features() != model.spec.widths.front() || outputs != expected || !loss_fits) {
    bad_model(path, "its layers do not fit its preprocessing: " + std::to_string(p.features()) + " features and " +
                        std::to_string(expected) + " outputs are described, the layers have " +
                        std::to_string(model.spec.widths.front()) + " and " + std::to_string(outputs));
  }
  // Rows from memory come as the layers want them.
  if (!p.recipe().is_matrix && !data::same_inputs(data::embedded_columns(p.recipe()), model.spec.embedded)) {
    bad_model(path, "its layers embed other columns, knots or categories than its preprocessing makes");
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> metadata_of(const SavedModel& model, std::string_view format) {
  json::Object config;
  for (const auto& [key, value] : model.config) config.emplace_back(key, value);
  std::vector<std::pair<std::string, std::string>> out = {
      {"halfstep.format", std::string(format)},
      {"halfstep.model", json::dump(to_json(model.spec))},
      {"halfstep.config", json::dump(json::Value(config))},
      {"halfstep.preproc", model.preprocessor.to_json()},
      {"halfstep.step", std::to_string(model.step)},
      {"halfstep.scaler", json::dump(to_json(model.scaler))},
      {"halfstep.numerics", json::dump(json::Object{{"isa", model.isa}, {"math", name(model.math)}, {"order", 1}})}};
  if (model.held_out.any()) out.emplace_back("halfstep.held_out", json::dump(to_json(model.held_out)));
  if (model.networks > 1) out.emplace_back("halfstep.networks", std::to_string(model.networks));
  return out;
}

const std::string& metadata(const io::File& file, const std::string& path, std::string_view key) {
  const std::string* value = file.find_metadata(key);
  if (!value) bad_model(path, "metadata '" + std::string(key) + "' is missing");
  return *value;
}

SavedModel model_without_tensors(const io::File& file, const std::string& path, std::string_view format) {
  check_format(file, path, format);
  if (!file.has_digest()) bad_model(path, "it has no digest, so nothing vouches for its bytes");
  SavedModel model;
  model.digest = file.digest;
  model.spec = model_spec_from_json(path, json::parse(metadata(file, path, "halfstep.model")));
  const json::Value config = json::parse(metadata(file, path, "halfstep.config"));
  for (const auto& [key, value] : config.as_object()) model.config.emplace_back(key, value.as_string());
  model.preprocessor = data::Preprocessor::from_json(metadata(file, path, "halfstep.preproc"));
  model.step = read_count(file, path, "halfstep.step", 0, kMostCount);
  if (file.find_metadata("halfstep.networks")) {
    model.networks = static_cast<std::size_t>(read_count(file, path, "halfstep.networks", 2, kMostNetworks + 1));
  }
  model.scaler = scaler_from_json(path, json::parse(metadata(file, path, "halfstep.scaler")));
  const json::Value numerics = json::parse(metadata(file, path, "halfstep.numerics"));
  model.isa = numerics.at("isa").as_string();
  if (const json::Value* math = numerics.find("math")) {  // files from before it was recorded are portable
    model.math = math->as_string() == name(Math::native) ? Math::native : Math::portable;
  }
  check_outputs(path, model);
  if (const std::string* facts = file.find_metadata("halfstep.held_out")) {
    model.held_out = facts_from_json(path, json::parse(*facts));
  }
  const Intervals& intervals = model.held_out.intervals;
  if (intervals.any() && intervals.targets.size() != model.spec.widths.back()) {
    bad_model(path, "its intervals are not of its outputs");
  }
  return model;
}

}  // namespace halfstep::internal
