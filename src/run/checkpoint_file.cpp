#include "run/checkpoint_file.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "halfstep/error.hpp"
#include "io/state_tensors.hpp"
#include "nn/network.hpp"
#include "run/bad_model.hpp"
#include "run/bagged_file.hpp"
#include "run/model_metadata.hpp"
#include "text/json.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

constexpr std::string_view kDataKey = "halfstep.data", kRunKey = "halfstep.run";
constexpr std::string_view kNetwork = "trainer.network.";

template <class Buffer>
void add(Digest& digest, const Buffer& buffer) {
  const std::uint64_t size = buffer.size();
  digest.update(&size, sizeof size);
  if (size > 0) digest.update(buffer.data(), buffer.size() * sizeof(buffer[0]));
}

// As if the features were in memory.
void add_stored(Digest& digest, const data::Examples& e) {
  constexpr std::size_t kRows = 4096;
  const std::uint64_t size = std::uint64_t{e.rows} * e.features;
  digest.update(&size, sizeof size);
  std::vector<float> some(kRows * e.features);
  for (std::size_t first = 0; first < e.rows; first += kRows) {
    const std::size_t count = std::min(kRows, e.rows - first);
    e.file->read(first, count, some.data());
    digest.update(some.data(), count * e.features * sizeof(float));
  }
}

void add(Digest& digest, const data::Examples& e) {
  const std::uint64_t shape[] = {e.rows, e.features};
  digest.update(shape, sizeof shape);
  if (e.file) {
    add_stored(digest, e);
  } else {
    add(digest, e.x);
  }
  add(digest, e.bytes);
  const float bytes[] = {e.byte_scale, e.byte_shift};
  digest.update(bytes, sizeof bytes);
  add(digest, e.sparse.offsets);
  add(digest, e.sparse.columns);
  add(digest, e.sparse.values);
  add(digest, e.usual);
  add(digest, e.labels);
  add(digest, e.targets);
  add(digest, e.weights);
}

std::int64_t natural(const json::Value& object, std::string_view key, const std::string& path) {
  const std::int64_t value = object.at(key).as_integer();
  if (value < 0 || value >= kMostCount) bad_model(path, std::string(key) + " is out of range");
  return value;
}

// The entries under a prefix, without it.
State part_of(const State& state, std::string_view prefix) {
  State part;
  for (const StateEntry& e : state.entries) {
    if (!e.name.starts_with(prefix)) continue;
    part.entries.push_back(e);
    part.entries.back().name.erase(0, prefix.size());
  }
  return part;
}

const std::string* option(const SavedModel& model, std::string_view name) {
  for (const auto& [key, value] : model.config) {
    if (key == name) return &value;
  }
  return nullptr;
}

// Whether the run had fp32 masters beside 16-bit weights.
bool has_masters(const SavedModel& model) {
  const std::string* const master = option(model, "master");
  return master == nullptr || *master == name(MasterKind::fp32);
}

// What the state says a network holds, so that building it allocates no more than the file has.
void check_size(const State& network, const NetworkShape& shape, const std::string& path) {
  const PlanOnly plan;
  const Network planned(shape);
  std::size_t elements = 0;
  for (const StateEntry& e : network.entries) elements += e.elements;
  if (planned.elements() > elements) bad_model(path, "it has fewer weights than its layers need");
}

// Where the run stood, as people are told, and as it goes on.
void check_clock(const Checkpoint& c, const std::string& path) {
  const auto check = [&](const char* name, std::int64_t said) {
    if (integer_of(c.state, name) == said) return;
    bad_model(path, "its metadata says " + std::to_string(said) + " for " + name + ", its state does not");
  };
  check("trainer.clock.attempted", c.attempted);
  check("trainer.clock.applied", c.model.step);
  check("trainer.clock.epoch", c.epoch);
}

}  // namespace

std::optional<std::int64_t> integer_of(const State& state, std::string_view name) {
  const StateEntry* const entry = state.find(name);
  std::int64_t value = 0;
  if (entry == nullptr || entry->bytes.size() != sizeof value) return std::nullopt;
  std::memcpy(&value, entry->bytes.data(), sizeof value);
  return value;
}

DataIdentity identity_of(const std::string& path, const data::Examples& train, const data::Examples& held_out) {
  Digest digest;
  add(digest, train);
  add(digest, held_out);
  return {path, static_cast<std::int64_t>(train.rows), static_cast<std::int64_t>(held_out.rows),
          static_cast<std::int64_t>(train.features), digest.hex()};
}

io::File file_of(const Checkpoint& c, std::string_view format) {
  io::File file;
  file.metadata = metadata_of(c.model, format);
  file.metadata.emplace_back(std::string(kDataKey), json::dump(json::Object{{"path", c.data.path},
                                                                            {"train_rows", c.data.train_rows},
                                                                            {"held_out_rows", c.data.held_out_rows},
                                                                            {"features", c.data.features},
                                                                            {"digest", c.data.digest}}));
  file.metadata.emplace_back(
      std::string(kRunKey),
      json::dump(json::Object{{"command", c.command}, {"attempted", c.attempted}, {"epoch", c.epoch}}));
  io::add_state(c.state, file);
  return file;
}

std::int64_t save_checkpoint(const std::string& path, const Checkpoint& c) {
  const io::File file = file_of(c, kCheckpointFormat);
  io::write_safetensors(path, file);
  return tensor_bytes(file);
}

std::int64_t tensor_bytes(const io::File& file) {
  std::int64_t bytes = 0;
  for (const io::Tensor& tensor : file.tensors) bytes += static_cast<std::int64_t>(tensor.bytes.size());
  return bytes;
}

Checkpoint run_of_file(const io::File& file, const std::string& path, std::string_view format) {
  Checkpoint c;
  c.model = model_without_tensors(file, path, format);
  const json::Value data = json::parse(metadata(file, path, kDataKey));
  c.data = {data.at("path").as_string(), natural(data, "train_rows", path), natural(data, "held_out_rows", path),
            natural(data, "features", path), data.at("digest").as_string()};
  const json::Value run = json::parse(metadata(file, path, kRunKey));
  c.command = run.at("command").as_string();
  c.attempted = natural(run, "attempted", path);
  c.epoch = natural(run, "epoch", path);
  c.state = io::state_of(file, path);
  return c;
}

Checkpoint checkpoint_of(const io::File& file, const std::string& path) {
  Checkpoint c = run_of_file(file, path, kCheckpointFormat);
  check_clock(c, path);
  return c;
}

Checkpoint load_checkpoint(const std::string& path) {
  const io::File file = io::read_safetensors(path);
  if (is_bagged_network(file)) {
    throw Error(Status::format, {.what = "this is one network of a bag, no checkpoint",
                                 .where = path,
                                 .why = "a bag goes on with all of its networks that have ended",
                                 .kept = {},
                                 .hint = "--resume with the folder that it is in"});
  }
  if (!is_checkpoint(file) && file.find_metadata("halfstep.model") != nullptr) {
    throw Error(Status::format, {.what = "this is a model, no checkpoint",
                                 .where = path,
                                 .why = "it has weights, but nothing of the run that they came from",
                                 .kept = {},
                                 .hint = "--init-from " + path + " starts a new run from its weights"});
  }
  return checkpoint_of(file, path);
}

bool is_checkpoint(const io::File& file) {
  const std::string* const format = file.find_metadata("halfstep.format");
  return format != nullptr && format->starts_with("checkpoint-");
}

SavedModel model_of_checkpoint(const io::File& file, const std::string& path) {
  Checkpoint c = checkpoint_of(file, path);
  const State state = part_of(c.state, kNetwork);
  const NetworkShape shape =
      network_of(c.model.spec, {.max_rows = 2, .training = true, .master = has_masters(c.model), .mask_seed = 0});
  check_size(state, shape, path);
  Network network(shape);
  network.drop_masters();
  load_state(network, state);
  c.model.tensors = network.tensors();
  if (c.model.preprocessor.task() == Task::regress) c.model.preprocessor.set_outputs(c.model.spec.widths.back());
  return std::move(c.model);
}

}  // namespace halfstep::internal
