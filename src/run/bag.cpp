#include "run/bag.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <list>
#include <optional>
#include <string>
#include <utility>

#include "data/folds.hpp"
#include "halfstep/error.hpp"
#include "run/bag_checkpoint.hpp"
#include "run/bag_training.hpp"
#include "run/held_out_facts.hpp"
#include "run/memory_check.hpp"
#include "train/inference.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kRowsOfTest = 512;        // in a pass
constexpr std::size_t kRowsForOnePart = 10000;  // a part of which says alone which settings do best

HeldOutRows held_out_rows(const BagRun& run, const std::vector<TrainedNetwork>& networks) {
  std::vector<std::uint32_t> places;
  for (const TrainedNetwork& network : networks) {
    const std::vector<std::uint32_t>& part = run.parts[network.task.part].validation;
    places.insert(places.end(), part.begin(), part.end());
  }
  const OutputsOfRows none(0, networks.front().said->columns);
  HeldOutRows out = {std::move(places), {}, none, networks.front().task.settings};
  out.examples = data::take_rows(run.prepared.train, out.places);
  for (const TrainedNetwork& network : networks) {
    const OutputsOfRows& said = *network.said;
    out.said.logits.insert(out.said.logits.end(), said.logits.begin(), said.logits.end());
    out.said.spreads.insert(out.said.spreads.end(), said.spreads.begin(), said.spreads.end());
  }
  return out;
}

Metrics score_of(GemmContext& context, const Loss& loss, const HeldOutRows& rows, const OutputMeaning& meaning) {
  SetScore score(context, rows.examples, loss, meaning, rows.said.columns, MoreMetrics::all());
  MemberMean divided(context.kernels, meaning, rows.said.columns, 1);
  for (std::size_t row = 0; row < rows.examples.rows; ++row) {
    score.add(row, 1, divided.of(rows.said.logits.data() + row * rows.said.ld, rows.said.ld), rows.said.ld);
  }
  return score.finish();
}

// Those that have an epoch behind them, of a run that was stopped; or the first, if none has.
void keep_usable(std::vector<TrainedNetwork>& networks) {
  std::erase_if(networks, [](const TrainedNetwork& network) { return !network.said; });
  const bool some =
      std::any_of(networks.begin(), networks.end(), [](const TrainedNetwork& n) { return n.told.epochs > 0; });
  if (some) std::erase_if(networks, [](const TrainedNetwork& network) { return network.told.epochs == 0; });
  if (!some) networks.erase(networks.begin() + 1, networks.end());
}

void add_counts(const TrainResult& from, TrainResult& to) {
  to.train.loss += from.train.loss;
  to.samples_per_s += from.samples_per_s * from.seconds;  // rows, for now
  to.resumed_at += from.resumed_at;
  to.steps.attempted += from.steps.attempted;
  to.steps.applied += from.steps.applied;
  to.steps.retried += from.steps.retried;
  to.steps.skipped += from.steps.skipped;
  to.ledger.insert(to.ledger.end(), from.ledger.begin(), from.ledger.end());
  to.warnings.insert(to.warnings.end(), from.warnings.begin(), from.warnings.end());
  to.loss_scale = from.loss_scale;
  to.metric = from.metric;
  if (!from.ended.empty() && from.ended != "early stop") to.ended = from.ended;
}

void save_networks(std::vector<TrainedNetwork>& networks, SavedModel& saved) {
  saved.networks = networks.size();
  saved.scaler = networks.back().scaler;
  for (std::size_t n = 0; n < networks.size(); ++n) {
    saved.step += networks[n].applied;
    for (NamedTensor& tensor : networks[n].tensors) {
      tensor.name = name_in_bag(tensor.name, n, networks.size());
      saved.tensors.push_back(std::move(tensor));
    }
  }
}

// On how many parts settings are tried: what few rows say is uncertain.
std::size_t parts_to_try(const BagRun& run) {
  const std::size_t parts = run.prepared.train.rows < kRowsForOnePart ? 2 : 1;
  return std::min(parts, run.parts.size());
}

// Mean over the rows of the metric; NaN where a network is missing.
TriedSettings said_of_settings(const BagRun& run, std::size_t settings, const std::vector<TrainedNetwork>& networks) {
  TriedSettings out;
  double sum = 0;
  for (const TrainedNetwork& network : networks) {
    if (network.task.settings != settings) continue;
    const double value = network.said ? network.told.held_out : std::numeric_limits<double>::quiet_NaN();
    const std::size_t rows = run.parts[network.task.part].validation.size();
    sum += value * static_cast<double>(rows);
    out.rows += static_cast<std::int64_t>(rows);
    out.metric = network.told.metric;
  }
  out.held_out = sum / static_cast<double>(out.rows);
  for (const ParameterInfo& p : parameters()) {
    const std::string value = get_option(run.settings[settings].options, p.name);
    const bool differs = std::any_of(run.settings.begin(), run.settings.end(), [&](const BagSettings& other) {
      return get_option(other.options, p.name) != value;
    });
    if (differs) out.parameters.emplace_back(p.name, value);
  }
  return out;
}

// Those that did best on the rows held out, the first of equal ones.
std::size_t best_of(const std::vector<TriedSettings>& tried) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < tried.size(); ++i) {
    const double value = tried[i].held_out, before = tried[best].held_out;
    const bool better = higher_is_better(tried[i].metric) ? value > before : value < before;
    if (better || (std::isnan(before) && !std::isnan(value))) best = i;
  }
  return best;
}

// Trains those of the settings that are taken, on all parts, and the others on some. In the order of the parts.
std::vector<TrainedNetwork> networks_of_bag(const BagRun& run, const TrainObserver& observer,
                                            BagClock::time_point start, TrainResult& result) {
  const std::size_t some = run.settings.size() > 1 ? parts_to_try(run) : 0;
  std::vector<TrainedNetwork> networks;
  std::size_t taken = 0;
  bool stopped = false;
  if (some > 0) {
    std::vector<BagTask> tasks;
    for (std::size_t settings = 0; settings < run.settings.size(); ++settings) {
      for (std::size_t part = 0; part < some; ++part) tasks.push_back({settings, part});
    }
    TrainObserver of_trials = observer;
    of_trials.on_network = observer.on_trial;
    const std::size_t behind = run.parts.size() - some;
    const std::size_t there = run.checkpoints ? std::min(run.checkpoints->count_from(some), behind) : 0;
    networks = train_side_by_side(run, of_trials, tasks, behind - there, start, true);
    stopped = std::any_of(networks.begin(), networks.end(), [](const TrainedNetwork& n) { return n.result.stopped; });
    for (std::size_t i = 0; i < run.settings.size(); ++i) result.tried.push_back(said_of_settings(run, i, networks));
    taken = best_of(result.tried);
    result.tried[taken].taken = true;
    if (observer.on_tried) observer.on_tried(result.tried);
    std::erase_if(networks,
                  [&](const TrainedNetwork& network) { return network.task.settings != taken || !network.said; });
  }
  std::vector<BagTask> tasks;
  for (std::size_t part = 0; part < run.parts.size(); ++part) {
    const bool there = std::any_of(networks.begin(), networks.end(),
                                   [&](const TrainedNetwork& network) { return network.task.part == part; });
    if (!there) tasks.push_back({taken, part});
  }
  if (!tasks.empty() && (!stopped || networks.empty())) {
    for (TrainedNetwork& network : train_side_by_side(run, observer, tasks, 0, start, false)) {
      stopped = stopped || network.result.stopped;
      const auto later = [&](const TrainedNetwork& other) { return other.task.part > network.task.part; };
      networks.insert(std::find_if(networks.begin(), networks.end(), later), std::move(network));
    }
  }
  if (stopped) {
    result.stopped = true;
    result.ended = "signal";
  }
  return networks;
}

}  // namespace

std::vector<data::Split> bag_parts(const Source& source, const Options& options) {
  const std::vector<std::uint32_t>& known = source.target.rows;
  const auto to_places = [&](std::vector<std::uint32_t>& rows) {
    for (std::uint32_t& row : rows) {
      row = static_cast<std::uint32_t>(std::lower_bound(known.begin(), known.end(), row) - known.begin());
    }
  };
  const auto count = static_cast<std::size_t>(options.bag);
  std::vector<data::Split> parts = data::folds_of(source.pair.train, source.target, count, options);
  for (data::Split& part : parts) {
    to_places(part.train);
    to_places(part.validation);
  }
  return parts;
}

std::size_t networks_to_train(const BagRun& run) {
  const std::size_t trials = run.settings.size() > 1 ? parts_to_try(run) : 0;
  return run.settings.size() * trials + run.parts.size() - trials;
}

std::vector<MemoryPart> bag_memory(const BagRun& run) {
  const std::size_t rows = memory_of(run.prepared.train), at_a_time = networks_at_a_time(run);
  std::optional<RunShape> most;
  std::size_t bytes = 0;
  for (std::size_t settings = 0; settings < run.settings.size(); ++settings) {
    const BagTask task = {settings, 0};
    const Options options = options_of_task(run, task);
    RunShape one = run_shape(config_of_task(run, task), rows, options.threads);
    check_memory(one);  // that it can be counted
    const auto each = static_cast<std::size_t>(total_bytes(planned_memory(one)));
    if (most && each <= bytes) continue;
    bytes = each;
    most = std::move(one);
  }
  most->examples = rows + memory_of(run.prepared.test) + (at_a_time - 1) * bytes;
  check_memory(*most);
  return planned_memory(*most);
}

HeldOutRows train_bag(const BagRun& run, const TrainObserver& observer, SavedModel& saved, TrainResult& result) {
  const BagClock::time_point start = BagClock::now();
  std::vector<TrainedNetwork> networks = networks_of_bag(run, observer, start, result);
  keep_usable(networks);
  for (const TrainedNetwork& network : networks) {
    add_counts(network.result, result);
    result.bag.push_back(network.told);
  }
  HeldOutRows held_out = held_out_rows(run, networks);
  const BagSettings& taken = run.settings[held_out.settings];
  saved.spec = taken.spec;
  saved.config = config_of(taken.options);
  save_networks(networks, saved);
  if (run.checkpoints && run.checkpoints->saves()) result.checkpoint = run.checkpoints->last_path();
  result.seconds = seconds_of(start);
  result.samples_per_s /= std::max(result.seconds, 1e-9);
  result.train.loss /= static_cast<double>(networks.size());
  result.train.rows = static_cast<std::int64_t>(run.prepared.train.rows);
  result.train.classification = run.meaning.classification;
  const std::unique_ptr<Loss> loss = loss_of(taken.spec);
  if (learns_from_held_out(taken.options, run.meaning)) {
    saved.held_out = facts_of(taken.options, *loss, run.meaning, held_out.examples, held_out.said, result);
  }
  OutputMeaning meaning = run.meaning;
  meaning.temperature = saved.held_out.temperature;
  GemmContext context(*run.machine.kernels, *run.machine.executor);
  result.eval_name = "validation";
  result.eval = score_of(context, *loss, held_out, meaning);
  result.has_test = run.prepared.test.rows > 0;
  if (!result.has_test) return held_out;
  std::list<Network> several =
      networks_of(saved, {.max_rows = std::min(kRowsOfTest, run.prepared.test.rows)}, *run.machine.kernels);
  result.test = measure(context, Networks(several), run.prepared.test, *loss, meaning, MoreMetrics::all());
  return held_out;
}

}  // namespace halfstep::internal
