#include "run/capsule_file.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "halfstep/error.hpp"
#include "run/bad_model.hpp"
#include "run/model_metadata.hpp"
#include "text/json.hpp"

namespace halfstep::internal {
namespace {

constexpr std::string_view kCapsuleFormat = "capsule-1", kKey = "halfstep.capsule";

json::Array figures_json(const std::vector<StepFigures>& recent) {
  json::Array list;
  for (const StepFigures& s : recent) {
    list.emplace_back(json::Object{{"step", s.step},
                                   {"outcome", name(s.outcome)},
                                   {"loss", s.loss},
                                   {"grad_norm", s.grad_norm},
                                   {"loss_scale", s.loss_scale},
                                   {"lr", s.lr}});
  }
  return list;
}

json::Object capsule_json(const Capsule& c) {
  // Of more rows than a reader of JSON takes, none.
  constexpr std::size_t kMostPlaces = 65536;
  json::Array places;
  if (c.places.size() <= kMostPlaces) places.assign(c.places.begin(), c.places.end());
  return {{"attempted", c.clock.attempted},
          {"applied", c.clock.applied},
          {"epoch", c.clock.epoch},
          {"batch", c.batch},
          {"parts", c.clock.masks},
          {"part_rows", c.part_rows},
          {"rows", c.rows},
          {"step_rows", c.step_rows},
          {"first_row", c.first_row},
          {"weight", c.weight},
          {"seed", std::to_string(c.seed)},  // JSON's integers end at 2^63
          {"dropout", c.model.dropout},
          {"lr", c.lr},
          {"loss_scale", static_cast<double>(c.loss_scale)},
          {"scale_moves", c.scale_moves},
          {"clip_norm", c.clip.norm},
          {"clip_value", c.clip.value},
          {"optimizer", name(c.optimizer)},
          {"weight_decay", c.weight_decay},
          {"cause", name(c.cause)},
          {"tensor", c.tensor},
          {"loss", c.loss},
          {"digest", c.digest},
          {"tried", c.tried},
          {"places", places},
          {"recent", figures_json(c.recent)}};
}

template <Named E>
E read_name(const json::Value& object, std::string_view key, const std::string& path) {
  const std::optional<E> value = from_name<E>(object.at(key).as_string());
  if (!value) bad_model(path, std::string(key) + " has an unknown name");
  return *value;
}

std::int64_t count_of(const json::Value& object, std::string_view key, const std::string& path,
                      std::int64_t most = std::int64_t{1} << 40) {
  const std::int64_t value = object.at(key).as_integer();
  if (value < 0 || value > most) bad_model(path, std::string(key) + " is out of range");
  return value;
}

double within(const json::Value& object, std::string_view key, double least, double most, const std::string& path) {
  const double value = object.at(key).as_number();
  if (!(value >= least && value <= most)) bad_model(path, std::string(key) + " is out of range");
  return value;
}

void read_numbers(const json::Value& v, const std::string& path, Capsule& c) {
  constexpr double kMost = 1e300;
  c.clock.attempted = count_of(v, "attempted", path);
  c.clock.applied = count_of(v, "applied", path);
  c.clock.epoch = count_of(v, "epoch", path);
  c.batch = count_of(v, "batch", path);
  c.clock.masks = static_cast<std::uint64_t>(count_of(v, "parts", path));
  c.part_rows = static_cast<std::size_t>(count_of(v, "part_rows", path));
  c.rows = static_cast<std::size_t>(count_of(v, "rows", path));
  if (c.rows == 0 || c.part_rows == 0) bad_model(path, "a step without rows");
  c.step_rows = c.rows;
  if (v.find("step_rows") != nullptr) {  // older ones have the whole step
    c.step_rows = static_cast<std::size_t>(count_of(v, "step_rows", path));
    c.first_row = static_cast<std::size_t>(count_of(v, "first_row", path));
    c.weight = within(v, "weight", 0, kMost, path);
    if (c.first_row > c.step_rows || c.rows > c.step_rows - c.first_row) bad_model(path, "rows that its step has not");
  }
  const std::string& seed = v.at("seed").as_string();
  if (seed.empty() || seed.size() > 20 || seed.find_first_not_of("0123456789") != std::string::npos) {
    bad_model(path, "seed is no number");
  }
  c.seed = std::strtoull(seed.c_str(), nullptr, 10);
  c.model.dropout = within(v, "dropout", 0, 0.999999, path);
  c.lr = within(v, "lr", 0, kMost, path);
  c.loss_scale = static_cast<float>(within(v, "loss_scale", 0x1p-140, 0x1p120, path));
  c.scale_moves = v.at("scale_moves").as_bool();
  c.clip.norm = within(v, "clip_norm", 0, kMost, path);
  c.clip.value = within(v, "clip_value", 0, kMost, path);
  c.weight_decay = within(v, "weight_decay", 0, kMost, path);
  c.optimizer = read_name<OptimizerKind>(v, "optimizer", path);
  c.cause = read_name<StepCause>(v, "cause", path);
  c.tensor = v.at("tensor").as_string();
  c.loss = v.at("loss").as_number();
  c.digest = v.at("digest").as_string();
  if (const json::Value* tried = v.find("tried")) c.tried = tried->as_string();
  for (const json::Value& place : v.at("places").as_array()) c.places.push_back(place.as_string());
  if (!c.places.empty() && c.places.size() != c.rows) bad_model(path, "places are not those of its rows");
  for (const json::Value& s : v.at("recent").as_array()) {
    c.recent.push_back({s.at("step").as_integer(), read_name<StepOutcome>(s, "outcome", path), s.at("loss").as_number(),
                        s.at("grad_norm").as_number(), s.at("loss_scale").as_number(), s.at("lr").as_number()});
  }
}

template <class T>
constexpr const char* kType = "F32";
template <>
constexpr const char* kType<std::int32_t> = "I32";
template <>
constexpr const char* kType<std::uint32_t> = "U32";

template <class T>
void add(io::File& file, const char* name, std::size_t rows, const std::vector<T>& values) {
  if (values.empty()) return;
  const auto columns = static_cast<std::int64_t>(values.size() / rows);
  file.tensors.push_back({.name = name,
                          .dtype = kType<T>,
                          .shape = {static_cast<std::int64_t>(rows), columns},
                          .bytes = std::as_bytes(std::span(values))});
}

// Nothing where it is absent and `wanted` does not say that it must be there.
template <class T>
std::vector<T> take(const io::File& file, const char* name, std::size_t rows, std::size_t columns, bool wanted,
                    const std::string& path) {
  const io::Tensor* const t = file.find(name);
  if (t == nullptr && !wanted) return {};
  const bool fits = t != nullptr && t->dtype == kType<T> && t->shape.size() == 2 && std::cmp_equal(t->shape[0], rows) &&
                    std::cmp_equal(t->shape[1], columns);
  if (!fits) bad_model(path, std::string("tensor '") + name + "' is missing or does not fit the step");
  std::vector<T> values(rows * columns);
  std::memcpy(values.data(), t->bytes.data(), t->bytes.size());
  return values;
}

constexpr const char *kX = "step.x", *kLabels = "step.labels", *kValues = "step.values", *kWeights = "step.weights",
                     *kExamples = "step.examples";

void read_rows(const io::File& file, const std::string& path, Capsule& c) {
  const bool labels = has_labels(c.model.loss);
  c.x = take<float>(file, kX, c.rows, c.inputs(), true, path);
  c.labels = take<std::int32_t>(file, kLabels, c.rows, 1, labels, path);
  c.values = take<float>(file, kValues, c.rows, c.outputs(), !labels, path);
  c.weights = take<float>(file, kWeights, c.rows, 1, false, path);
  c.examples = take<std::uint32_t>(file, kExamples, c.rows, 1, false, path);
  const auto classes = static_cast<std::int32_t>(std::max<std::size_t>(c.outputs(), 2));
  const bool known =
      std::all_of(c.labels.begin(), c.labels.end(), [&](std::int32_t label) { return label >= 0 && label < classes; });
  if (!known) bad_model(path, "a label is of no class of the model");
}

// Its tensors are those of the capsule.
io::File file_of(const SavedModel& model, const Capsule& c) {
  io::File file;
  file.metadata = metadata_of(model, kCapsuleFormat);
  file.metadata.emplace_back(std::string(kKey), json::dump(capsule_json(c)));
  for (const NamedTensor& t : c.tensors) {
    file.tensors.push_back({.name = t.name,
                            .dtype = "F32",
                            .shape = {t.shape.begin(), t.shape.end()},
                            .bytes = std::as_bytes(std::span(t.values))});
  }
  add(file, kX, c.rows, c.x);
  add(file, kLabels, c.rows, c.labels);
  add(file, kValues, c.rows, c.values);
  add(file, kWeights, c.rows, c.weights);
  add(file, kExamples, c.rows, c.examples);
  return file;
}

}  // namespace

void save_capsule(const std::string& path, const SavedModel& model, const Capsule& c) {
  io::write_safetensors(path, file_of(model, c));
}

std::vector<std::byte> capsule_bytes(const SavedModel& model, const Capsule& c) {
  return io::safetensors_bytes(file_of(model, c));
}

bool is_capsule(const io::File& file) {
  const std::string* const format = file.find_metadata("halfstep.format");
  return format != nullptr && format->starts_with("capsule-");
}

SavedCapsule capsule_of(const io::File& file, const std::string& path) {
  SavedCapsule saved;
  saved.model = model_without_tensors(file, path, kCapsuleFormat);
  Capsule& c = saved.capsule;
  c.model = saved.model.spec;
  read_numbers(json::parse(metadata(file, path, kKey)), path, c);
  io::File weights = file;
  std::erase_if(weights.tensors, [](const io::Tensor& t) { return t.name.starts_with("step."); });
  c.tensors = model_tensors(weights, path, c.model);
  read_rows(file, path, c);
  return saved;
}

SavedCapsule load_capsule(const std::string& path) {
  const io::File file = io::read_safetensors(path);
  if (!is_capsule(file)) {
    throw Error(Status::format, {.what = "this is no capsule",
                                 .where = path,
                                 .why = "it does not hold a step that was recorded",
                                 .kept = {},
                                 .hint = "the file that a run names when a step goes non-finite"});
  }
  return capsule_of(file, path);
}

}  // namespace halfstep::internal
