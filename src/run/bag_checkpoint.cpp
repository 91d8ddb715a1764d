#include "run/bag_checkpoint.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/digest.hpp"
#include "halfstep/error.hpp"
#include "run/bad_model.hpp"
#include "run/bagged_file.hpp"
#include "run/check_finite.hpp"
#include "run/folder.hpp"
#include "run/model_spec_json.hpp"
#include "run/resume.hpp"

namespace halfstep::internal {
namespace {

namespace fs = std::filesystem;

// What the bag needs of a network beside its weights and its scaler.
struct PartsToSave {
  TrainedNetwork& network;

  void visit_state(StateVisitor& visitor) {
    visitor.value("settings", network.task.settings);
    visitor.value("part", network.task.part);
    visitor.value("epochs", network.told.epochs);
    visitor.value("best_epoch", network.told.best_epoch);
    visitor.number("held_out", network.told.held_out);
    visitor.number("seconds", network.told.seconds);
    TrainResult& result = network.result;
    visitor.text("metric", result.metric);
    visitor.number("train_loss", result.train.loss);
    visitor.value("attempted", result.steps.attempted);
    visitor.value("applied", result.steps.applied);
    visitor.value("retried", result.steps.retried);
    visitor.value("skipped", result.steps.skipped);
    visitor.list("ledger", result.ledger, [&](LedgerEntry& entry) { visit_entry(entry, visitor); });
    visitor.array("logits", StateType::fp32, network.said->logits);
    visitor.array("spreads", StateType::bytes, network.said->spreads);
  }
};

std::string passed_text(const Error& error) {
  return std::string("a network is passed over, and trained again: ") + error.what();
}

// Of several with one name the first.
void add_networks(const std::string& folder, std::vector<Found>& found, std::vector<std::string>& notes) {
  for (const std::string& path : networks_in(folder)) {
    const bool there = std::any_of(found.begin(), found.end(), [&](const Found& other) {
      return fs::path(other.path).filename() == fs::path(path).filename();
    });
    if (there) continue;
    try {
      found.push_back({path, bagged_network_of(io::read_safetensors(path), path)});
    } catch (const Error& error) {
      if (error.status() == Status::out_of_memory || error.status() == Status::unsupported) throw;
      notes.push_back(passed_text(error));
    }
  }
}

std::size_t place_of(const Found& found, const char* name) {
  const std::int64_t value = integer_of(found.checkpoint.state, name).value_or(-1);
  if (value < 0) bad_model(found.path, "it does not say which network it is");
  return static_cast<std::size_t>(value);
}

std::string file_name_of(const BagTask& task) { return network_file(task.settings, task.part); }

DataIdentity identity_of_bag(const BagRun& run, const std::string& path) {
  DataIdentity identity = identity_of(path, run.prepared.train, {});  // all rows, of which each network has some
  Digest digest;
  digest.update(identity.digest.data(), identity.digest.size());
  for (const data::Split& part : run.parts) {  // groups are not among the inputs
    digest.update(part.validation.data(), part.validation.size() * sizeof(part.validation[0]));
  }
  identity.digest = digest.hex();
  return identity;
}

}  // namespace

std::vector<Found> find_networks(const Options& options, std::vector<std::string>& notes) {
  std::vector<Found> found;
  if (options.resume.empty()) return found;
  if (!options.checkpoint_dir.empty()) add_networks(options.checkpoint_dir, found, notes);
  if (options.resume != "auto" && is_folder(options.resume)) add_networks(options.resume, found, notes);
  return found;
}

void check_kind_of_run(const Options& options, const CheckpointFolder* folder, bool found_checkpoint) {
  const auto refuse = [](const std::string& where, const char* why, const char* hint) {
    throw Error(Status::invalid_argument, {.what = "this is not the run of the checkpoint",
                                           .where = where,
                                           .why = why,
                                           .kept = "the checkpoint",
                                           .hint = hint});
  };
  const std::string& folder_name = options.checkpoint_dir.empty() ? options.resume : options.checkpoint_dir;
  if (options.bag > 1 && (found_checkpoint || (folder && folder->newest()))) {
    refuse(folder_name, "it is of a single network, and this run trains several",
           "--bag 1 to go on with it, or another folder");
  }
  const bool has_networks =
      !options.resume.empty() && ((folder && !networks_in(folder->path()).empty()) ||
                                  (is_folder(options.resume) && !networks_in(options.resume).empty()));
  if (options.bag == 1 && has_networks) {
    refuse(folder_name, "it is of the networks of a bag, and this run trains a single one",
           "--bag or --quality best as then, or another folder");
  }
}

BagCheckpoints::BagCheckpoints(const BagRun& run, const Of& of, std::vector<Found> found,
                               std::vector<std::string>& notes)
    : run_(run), folder_(of.folder), data_(identity_of_bag(run, of.data)), command_(go_on_command(run.options())) {
  for (const BagSettings& settings : run.settings) {
    headers_.push_back(of.header);
    headers_.back().spec = settings.spec;
    headers_.back().config = config_of(settings.options);
  }
  for (Found& one : found) {
    try {
      TrainedNetwork network = network_of_run(one);
      last_path_ = one.path;
      if (folder_ && one.path != folder_->path_of(file_name_of(network.task))) last_path_ = save(network).path;
      networks_.push_back(std::move(network));
    } catch (const Error& error) {
      if (error.status() != Status::format) throw;
      notes.push_back(passed_text(error));
    }
  }
  if (!networks_.empty()) {
    notes.push_back("goes on with " + fs::path(last_path_).parent_path().string() + ": " +
                    std::to_string(networks_.size()) + " of " + std::to_string(networks_to_train(run)) +
                    " networks were there already");
  }
  if (folder_) {
    notes.push_back("each network is saved in " + folder_->path() +
                    " when it has ended; those that a stop cuts short begin again");
  }
}

TrainedNetwork BagCheckpoints::network_of_run(Found& found) const {
  const std::string& path = found.path;
  const Checkpoint& c = found.checkpoint;
  const BagTask task = {place_of(found, "settings"), place_of(found, "part")};
  const SavedModel& header = headers_[std::min(task.settings, headers_.size() - 1)];
  check_same_run(found, header, data_, header.isa, nullptr);
  const bool named = fs::path(path).filename() == file_name_of(task);
  if (!named || task.settings >= headers_.size() || task.part >= run_.parts.size()) {
    bad_model(path, "it is another network of the run than its name says");
  }
  if (json::dump(to_json(c.model.spec)) != json::dump(to_json(header.spec)))
    bad_model(path, "its layers are not those of its settings");
  check_finite(c.model, path);

  const std::size_t rows = run_.parts[task.part].validation.size();
  TrainedNetwork network;
  network.said.emplace(rows, header.spec.widths.back());
  PartsToSave parts = {network};
  load_state(parts, c.state);
  const std::optional<MetricKind> metric = from_name<MetricKind>(network.result.metric);
  const auto finite = [](const auto& values) {
    return std::all_of(values.begin(), values.end(), [](auto value) { return std::isfinite(value); });
  };
  const OutputsOfRows& said = *network.said;
  if (!metric || !finite(said.logits) || !finite(said.spreads))
    bad_model(path, "what it says of its rows is no number");
  network.told.number = static_cast<std::int64_t>(task.part) + 1;
  network.told.held_out_rows = static_cast<std::int64_t>(rows);
  network.told.metric = *metric;
  network.result.resumed_at = network.result.steps.attempted;
  network.applied = c.model.step;
  network.scaler = c.model.scaler;
  network.result.loss_scale = c.model.scaler.scale;
  network.tensors = std::move(found.checkpoint.model.tensors);
  return network;
}

std::size_t BagCheckpoints::count_from(std::size_t part) const {
  return static_cast<std::size_t>(std::count_if(
      networks_.begin(), networks_.end(), [&](const TrainedNetwork& network) { return network.task.part >= part; }));
}

std::optional<TrainedNetwork> BagCheckpoints::take(const BagTask& task) {
  const auto at = std::find_if(networks_.begin(), networks_.end(),
                               [&](const TrainedNetwork& network) { return network.task == task; });
  if (at == networks_.end()) return std::nullopt;
  TrainedNetwork network = std::move(*at);
  networks_.erase(at);
  return network;
}

CheckpointReport BagCheckpoints::save(TrainedNetwork& network) const {
  const BagClock::time_point start = BagClock::now();
  PartsToSave parts = {network};
  Checkpoint c = {headers_[network.task.settings],
                  data_,
                  command_,
                  network.result.steps.attempted,
                  network.told.epochs,
                  save_state(parts)};
  c.model.step = network.applied;
  c.model.scaler = network.scaler;
  CheckpointReport report = {c.attempted, folder_->path_of(file_name_of(network.task)), 0, 0};
  report.bytes = save_bagged_network(report.path, c, network.tensors);
  report.seconds = seconds_of(start);
  return report;
}

}  // namespace halfstep::internal
