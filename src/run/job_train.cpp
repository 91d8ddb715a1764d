// The training job: data to model file.
#include <optional>
#include <utility>

#include "base/arena.hpp"
#include "data/hold_out.hpp"
#include "data/target_columns.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/safe_file.hpp"
#include "run/auto_precision.hpp"
#include "run/bag.hpp"
#include "run/bag_checkpoint.hpp"
#include "run/bag_options.hpp"
#include "run/bag_report.hpp"
#include "run/cache_choice.hpp"
#include "run/init_from.hpp"
#include "run/job_files.hpp"
#include "run/machine.hpp"
#include "run/memory_check.hpp"
#include "run/model_file.hpp"
#include "run/model_text.hpp"
#include "run/output_meaning.hpp"
#include "run/prepare.hpp"
#include "run/quality.hpp"
#include "run/refit.hpp"
#include "run/refit_options.hpp"
#include "run/resume.hpp"
#include "run/run_report.hpp"
#include "run/spec_of.hpp"
#include "run/trainer_options.hpp"
#include "run/trainer_place.hpp"
#include "run/training.hpp"
#include "train/network_of.hpp"

namespace halfstep {

using namespace internal;
namespace {

std::size_t example_bytes(const Prepared& p) {
  return memory_of(p.train) + memory_of(p.validation) + memory_of(p.test);
}

std::size_t elements_of(const ModelSpec& spec) {
  const PlanOnly plan;
  return Network(network_of(spec, {.max_rows = 1})).elements();
}

std::string model_line(const ModelSpec& spec, std::size_t elements, const Options& options) {
  const std::string several = options.bag > 1 ? std::to_string(options.bag) + " networks of " : "";
  return several + architecture_text(spec) + ", " + std::to_string(elements) + " parameters" +
         (options.bag > 1 ? " each, " : ", ") + precision_text(spec);
}

std::string model_line(StepTrainer& trainer, const Options& options) {
  return model_line(trainer.config().model, trainer.model().elements(), options);
}

RunPlan make_plan(const Prepared& p, const Machine& machine, const ModelSpec& spec, const std::string& path,
                  std::vector<MemoryPart> memory) {
  RunPlan plan;
  std::size_t inputs = p.preprocessor.features();
  // A number that is embedded comes in as its value and its place, which nobody counts.
  for (const ColumnEmbedding& column : spec.embedded) inputs -= column.inputs() - 1;
  plan.data = path + ": " + std::to_string(p.rows) + " rows, " + std::to_string(inputs) + " features";
  plan.target = p.preprocessor.target_description();
  plan.split = p.split;
  plan.machine = machine.description;
  plan.memory = std::move(memory);
  for (const MemoryPart& part : plan.memory) plan.memory_bytes += part.bytes;
  plan.notes = p.notes;
  plan.reads = p.reads;
  return plan;
}

void save_state(const std::string& path, StepTrainer& trainer, std::int64_t applied, SavedModel& saved) {
  saved.step = applied;
  saved.scaler = trainer.scaler().state();
  saved.tensors = trainer.model().tensors();
  save_model(path, saved);
}

// What was kept, in words: a disk that is full must not hide why the run ended.
std::string keep_weights(StepTrainer& trainer, std::int64_t applied, const std::string& path, SavedModel& saved) {
  const std::string weights = "the weights after " + std::to_string(applied) + " applied steps";
  try {
    save_state(path, trainer, applied, saved);
  } catch (const Error& error) {
    return "nothing, " + weights + " could not be saved in " + path + " (" + error.parts().why + ")";
  }
  return weights + ", in " + path;
}

std::string keep_last_good(StepTrainer& trainer, const std::string& path, SavedModel& saved) {
  const std::int64_t applied = trainer.restore_last_good();
  if (applied == 0) return "nothing, the run had no good weights yet";
  return keep_weights(trainer, applied, path, saved);
}

// A run that diverges leaves its last good weights beside the model that it does not write.
TrainResult run_or_keep(Training& training, const TrainObserver& observer, StepTrainer& trainer, const std::string& out,
                        SavedModel& saved) {
  try {
    return training.run(observer);
  } catch (const Error& error) {
    if (error.status() != Status::diverged) throw;
    ErrorParts parts = error.parts();
    parts.kept = keep_last_good(trainer, last_good_path(out), saved) + "; " + out + " was not written";
    throw Error(Status::diverged, parts);
  }
}

SavedModel model_to_save(const Prepared& prepared, const ModelSpec& spec, const Machine& machine,
                         const Options& options) {
  return {.preprocessor = prepared.preprocessor,
          .spec = spec,
          .step = 0,
          .scaler = {},
          .isa = machine.kernels->name,
          .math = options.math,
          .config = config_of(options),
          .held_out = {},
          .tensors = {},
          .digest = {}};
}

void add_results(const SavedModel& saved, const Machine& machine, const Options& options, TrainResult& result) {
  const data::Preprocessor& p = saved.preprocessor;
  if (p.task() == Task::regress) result.targets = data::target_names(p.targets());
  result.precision = name(options.precision);
  result.layer_precision = exceptions_text(saved.spec);
  result.isa = machine.kernels->name;
  result.math = name(options.math);
  result.threads = machine.executor->threads();
  result.model = options.out;
  result.weights_digest = weights_digest(saved.tensors);
}

// That the report could not be written ends no run, but is said.
void note_report(const Options& options, const std::string& warning, const TrainObserver& observer,
                 TrainResult& result) {
  if (warning.empty()) {
    result.report = options.report;
    return;
  }
  result.warnings.push_back(warning);
  if (observer.on_warning) observer.on_warning(warning);
}

// All networks of a bag, and their file.
TrainResult run_bag(const BagRun& run, const std::string& data, const TrainObserver& observer, SavedModel& saved) {
  const Options& options = run.options();
  if (run.prepared.train.file) {
    throw Error(Status::unsupported, {.what = "several networks cannot be trained on rows from disk",
                                      .where = "--bag " + std::to_string(options.bag),
                                      .why = "they do not fit into memory, of which each network takes a part",
                                      .kept = {},
                                      .hint = "--bag 1"});
  }
  const ModelSpec& spec = run.settings.front().spec;
  RunPlan plan = make_plan(run.prepared, run.machine, spec, data, bag_memory(run));
  plan.model = model_line(spec, elements_of(spec), options);
  plan.split += "; each of " + std::to_string(run.parts.size()) + " networks holds out another 1/" +
                std::to_string(run.parts.size()) + " of the first (" + data::hold_out_text(options) + ")";
  if (observer.on_plan) observer.on_plan(plan);
  TrainResult result;
  const auto report = [&](const Options& taken, const std::string& failure,
                          const std::function<report::HeldOut()>& held_out) {
    if (options.report.empty()) return;
    note_report(options, write_report({data, taken, run.prepared, plan, held_out}, {}, result, failure), observer,
                result);
  };
  try {
    const HeldOutRows rows = train_bag(run, observer, saved, result);
    save_model(options.out, saved);
    const Options& taken = run.settings[rows.settings].options;
    add_results(saved, run.machine, taken, result);
    plan.model = model_line(saved.spec, elements_of(saved.spec), taken);
    report(taken, {}, [&] { return held_out_of_bag(run, saved, rows, result); });
  } catch (const Error& error) {
    if (error.status() == Status::diverged) report(options, error.what(), {});
    throw;
  }
  return result;
}

}  // namespace

TrainResult train(const std::string& data, const Options& given, const TrainObserver& observer) {
  Options options = given;
  validate(options);
  options.out = model_path(options);
  check_apart(files_written(options), files_read(data, options));
  io::write_probe(options.out);  // a run of an hour must not fail at its last line
  if (!options.report.empty()) io::write_probe(options.report);
  std::optional<CheckpointFolder> folder;
  if (!options.checkpoint_dir.empty()) folder.emplace(options.checkpoint_dir, options.checkpoint_keep);
  std::vector<std::string> notes;
  const std::optional<Found> found = find_checkpoint(options, folder ? &*folder : nullptr, notes);
  const std::optional<SavedModel> start = model_to_start_from(options);
  Machine machine(options);
  const data::ReadHow how = {.executor = machine.executor.get(), .cache = cache_choice(options)};
  Source source(data, options, how, start ? &start->preprocessor.recipe() : nullptr);
  source.settle(options);
  check_refit(options);
  check_bag(options);
  check_kind_of_run(options, folder ? &*folder : nullptr, found.has_value());
  std::vector<Found> networks = find_networks(options, notes);
  const std::vector<data::Split> parts = options.bag > 1 ? bag_parts(source, options) : std::vector<data::Split>();
  Prepared prepared = prepare(std::move(source), options, how);
  const SavedModel* const weights = start ? &*start : nullptr;
  const Found* const before = found ? &*found : networks.empty() ? nullptr : &networks.front();
  const auto chosen = before ? take_precision(before->checkpoint.model, options, notes)
                             : settle_precision({options, prepared, machine, weights}, options, notes);
  ModelSpec spec = spec_of(prepared, options);
  // With the layers that its run has raised meanwhile. Whether it is the same model is found out below.
  if (found && found->checkpoint.model.spec.widths == spec.widths) {
    spec.layer_precision = found->checkpoint.model.spec.layer_precision;
  }
  const OutputMeaning meaning = output_meaning(prepared.preprocessor, spec.loss);
  if (options.bag > 1) {
    std::vector<BagSettings> settings;
    for (Options& tried : settings_to_try(given, options)) {
      BagSettings one = {tried, spec_of(prepared, tried)};
      // Where no number has values enough for periodic functions, asking for them makes the first network again.
      const bool again = !settings.empty() && tried.periodic != options.periodic && one.spec == spec;
      if (!again) settings.push_back(std::move(one));
    }
    SavedModel saved = model_to_save(prepared, spec, machine, options);
    BagRun run = {settings, machine, prepared, parts, meaning};
    std::optional<BagCheckpoints> checkpoints;
    if (folder || !options.resume.empty()) {
      checkpoints.emplace(run, BagCheckpoints::Of{saved, data, folder ? &*folder : nullptr}, std::move(networks),
                          notes);
      run.checkpoints = &*checkpoints;
    }
    prepared.notes.insert(prepared.notes.end(), notes.begin(), notes.end());
    TrainResult result = run_bag(run, data, observer, saved);
    result.chosen = chosen;
    return result;
  }
  TrainerConfig config = trainer_config(options, spec, prepared.train.rows);
  config.meter_every = meter_every(options, config.schedule.steps);
  check_memory(run_shape(config, example_bytes(prepared), machine.executor->threads()));
  SavedModel saved = model_to_save(prepared, spec, machine, options);
  DataIdentity identity;
  if (folder || found) identity = identity_of(data, prepared.train, prepared.validation);
  if (found) check_same_run(*found, saved, identity, machine.kernels->name, &notes);

  TrainerPlace place(*machine.kernels, *machine.executor, config, prepared.train);
  StepTrainer& trainer = place.trainer();
  if (start && !found) notes.push_back(start_from(*start, prepared, trainer, *machine.kernels));
  prepared.notes.insert(prepared.notes.end(), notes.begin(), notes.end());
  ReportRecorder recorder;
  std::optional<Checkpoints> checkpoints;
  if (folder) checkpoints.emplace(options, *folder, Checkpoint{saved, identity, go_on_command(options), 0, 0, {}});
  const MetricsLog::WentOn from = found ? went_on(found->checkpoint) : MetricsLog::WentOn();
  Incidents incidents(options, trainer, prepared, saved, observer);
  const auto lift = [&](const std::vector<LayerPrecision>& layers) {
    TrainerConfig raised = trainer.config();
    raised.model.layer_precision = lifted(raised.model, layers);
    if (!fits_memory(run_shape(raised, example_bytes(prepared), machine.executor->threads()))) return false;
    place.set_layers(raised.model.layer_precision);
    incidents.follow();
    saved.spec.layer_precision = raised.model.layer_precision;
    if (checkpoints) checkpoints->set_layers(raised.model.layer_precision);
    return true;
  };
  Recovery recovery(options, trainer, prepared.train, incidents, observer, lift);
  Training training(options, trainer, meaning, prepared.validation.rows > 0 ? &prepared.validation : nullptr,
                    prepared.test.rows > 0 ? &prepared.test : nullptr,
                    {options.report.empty() ? nullptr : &recorder, checkpoints ? &*checkpoints : nullptr, &incidents,
                     &recovery, found ? &from : nullptr});
  if (found) load_run(*found, training, options.report.empty() ? nullptr : &recorder);
  RunPlan plan = make_plan(prepared, machine, spec, data, trainer.memory(example_bytes(prepared)));
  plan.model = model_line(trainer, options);
  if (observer.on_plan) observer.on_plan(plan);

  const auto report = [&](TrainResult& result, const std::string& failure) {
    if (options.report.empty()) return;
    plan.model = model_line(trainer, options);  // layers may have been raised
    const auto held_out = [&] { return held_out_of_run(trainer, training.meaning(), prepared); };
    note_report(options, write_report({data, options, prepared, plan, held_out}, recorder.take(), result, failure),
                observer, result);
  };
  TrainResult result;
  try {
    result = run_or_keep(training, observer, trainer, options.out, saved);
  } catch (const Error& error) {
    result.incidents = incidents.list();
    result.recoveries = recovery.actions();
    result.steps = trainer.ledger().counts();
    result.ledger = trainer.ledger().entries();
    result.train.classification = meaning.classification;
    if (error.status() == Status::diverged) report(result, error.what());  // when a page is wanted most
    throw;
  }
  saved.held_out = training.held_out_facts();
  const bool lost = checkpoints && checkpoints->ends_run();
  std::string kept;
  if (lost) {
    kept = keep_weights(trainer, training.applied(), options.out, saved);
  } else {
    save_state(options.out, trainer, training.applied(), saved);
  }
  if (options.refit && !lost && !result.stopped) {
    const auto begin = [&](StepTrainer& t) { start_from(*start, prepared, t, *machine.kernels); };
    refit(
        {options, machine, prepared, training.meaning(), trainer, start ? begin : std::function<void(StepTrainer&)>()},
        observer, saved, result);
    if (result.refit_rows > 0) save_model(options.out, saved);
  }
  add_results(saved, machine, options, result);
  result.chosen = chosen;
  report(result, {});
  if (lost) throw checkpoints->error(kept);
  return result;
}

}  // namespace halfstep
