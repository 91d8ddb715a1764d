#if defined(__unix__) || defined(__APPLE__)
#include <sys/resource.h>
#endif

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/incident_json.hpp"
#include "cli/meter_text.hpp"
#include "cli/metrics_text.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/signals.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"

namespace halfstep::cli {
namespace {

constexpr const char* kBuiltIn = "builtin:digits";

std::string mebibytes(std::int64_t bytes) { return brief(static_cast<double>(bytes) / (1 << 20)) + " MiB"; }

// The most memory that the process has held; 0 where the system does not tell.
std::int64_t peak_memory() {
#if defined(__unix__) || defined(__APPLE__)
  rusage used = {};
  if (getrusage(RUSAGE_SELF, &used) != 0) return 0;
#if defined(__APPLE__)
  return used.ru_maxrss;
#else
  return std::int64_t{used.ru_maxrss} * 1024;
#endif
#else
  return 0;
#endif
}

void tell_plan(Narrator& narrator, const RunPlan& plan, bool verbose) {
  narrator.heading("data", plan.data);
  for (const std::string& read : plan.reads) {
    if (verbose) narrator.heading("read", read);
  }
  narrator.heading("target", plan.target);
  narrator.heading("split", plan.split);
  narrator.heading("model", plan.model);
  narrator.heading("memory", mebibytes(plan.memory_bytes) + " planned");
  for (const MemoryPart& part : plan.memory) {
    if (verbose) narrator.heading("", mebibytes(part.bytes) + "  " + part.what);
  }
  if (const std::int64_t peak = peak_memory(); verbose && peak > plan.memory_bytes) {
    narrator.heading("", mebibytes(peak) + " at most so far, program and reading of the data included");
  }
  narrator.heading("machine", plan.machine);
  for (const std::string& note : plan.notes) narrator.heading("note", note);
}

std::string network_text(const BaggedNetwork& network) {
  return "number " + std::to_string(network.number) + ", " + std::to_string(network.epochs) + " epochs" +
         (network.best_epoch > 0 ? " of which " + std::to_string(network.best_epoch) + " was best" : "") + ", " +
         std::string(name(network.metric)) + " " + brief(network.held_out) + " on " +
         std::to_string(network.held_out_rows) + " rows, " + brief(network.seconds) + " s";
}

std::string tried_text(const TriedSettings& settings) {
  std::string text;
  for (const auto& [parameter, value] : settings.parameters) text += "--" + parameter + " " + value + " ";
  return text + "has " + std::string(name(settings.metric)) + " " + brief(settings.held_out) + " on " +
         std::to_string(settings.rows) + " rows held out";
}

std::string tried_json(const std::vector<TriedSettings>& tried) {
  std::vector<std::string> items;
  for (const TriedSettings& settings : tried) {
    JsonObject parameters;
    for (const auto& [parameter, value] : settings.parameters) parameters.text(parameter, value);
    JsonObject object;
    object.raw("parameters", parameters.str()).text("metric", name(settings.metric));
    object.number("held_out", settings.held_out).integer("rows", settings.rows);
    items.push_back(object.boolean("taken", settings.taken).str());
  }
  return "[" + joined(items, ",") + "]";
}

std::string bag_json(const std::vector<BaggedNetwork>& bag) {
  std::vector<std::string> items;
  for (const BaggedNetwork& network : bag) {
    JsonObject object;
    object.integer("number", network.number).integer("epochs", network.epochs);
    object.integer("best_epoch", network.best_epoch).integer("held_out_rows", network.held_out_rows);
    items.push_back(object.number("held_out", network.held_out).number("seconds", network.seconds).str());
  }
  return "[" + joined(items, ",") + "]";
}

// `notes` gets those of the plan, for the summary.
// `saves`: the run has checkpoints.
TrainObserver observe(Narrator& narrator, Progress& progress, bool verbose, bool saves,
                      std::vector<std::string>& notes) {
  TrainObserver observer;
  // Until the plan stands there is nothing to save, and a signal may simply end the program.
  observer.on_plan = [&narrator, &notes, verbose, saves](const RunPlan& plan) {
    catch_stop_signals();
    if (saves) catch_save_signal();
    notes = plan.notes;
    tell_plan(narrator, plan, verbose);
  };
  observer.on_epoch = [&progress](const EpochReport& report) { progress.epoch(report); };
  if (narrator.live()) {
    observer.on_progress = [&progress](const ProgressReport& report) { progress.within_epoch(report); };
  }
  observer.on_checkpoint = [&progress](const CheckpointReport& report) { progress.checkpoint(report); };
  observer.on_incident = [&progress](const Incident& incident) { progress.incident(incident); };
  observer.on_refit = [&narrator](std::int64_t rows, std::int64_t epochs) {
    narrator.heading(
        "refit", "all " + std::to_string(rows) + " rows, for the " + std::to_string(epochs) + " epochs that were best");
  };
  observer.on_trial = [&narrator](const BaggedNetwork& network, std::int64_t done, std::int64_t of) {
    narrator.heading("trial",
                     std::to_string(done) + " of " + std::to_string(of) + " is done: " + network_text(network));
  };
  observer.on_tried = [&narrator](const std::vector<TriedSettings>& tried) {
    for (const TriedSettings& settings : tried)
      narrator.heading(settings.taken ? "taken" : "tried", tried_text(settings));
  };
  observer.on_network = [&narrator](const BaggedNetwork& network, std::int64_t done, std::int64_t of) {
    narrator.heading("network",
                     std::to_string(done) + " of " + std::to_string(of) + " is done: " + network_text(network));
  };
  observer.on_warning = [&progress](const std::string& warning) { progress.warning(warning); };
  observer.should_stop = [] { return stop_signal() != 0; };
  observer.should_save = take_save_signal;
  return observer;
}

std::string ledger_json(const std::vector<LedgerEntry>& ledger) {
  std::vector<std::string> items;
  for (const LedgerEntry& e : ledger) {
    JsonObject object;
    object.text("outcome", name(e.outcome)).text("cause", name(e.cause)).text("tensor", e.tensor);
    object.integer("steps", e.steps).integer("first", e.first).integer("last", e.last);
    object.number("least_loss_scale", e.least_loss_scale).number("most_loss_scale", e.most_loss_scale);
    items.push_back(object.str());
  }
  return "[" + joined(items, ",") + "]";
}

std::string summary_json(const std::string& data, const TrainResult& result, const std::vector<std::string>& notes,
                         const std::string& repeat, const std::string& go_on) {
  JsonObject object;
  object.text("command", "train").text("data", data).text("precision", result.precision).text("isa", result.isa);
  if (!result.layer_precision.empty()) object.text("layer_precision", result.layer_precision);
  object.text("math", result.math).integer("threads", result.threads);
  object.raw("train", JsonObject().number("loss", result.train.loss).str());
  if (!result.eval_name.empty()) {
    JsonObject metrics;
    add_metrics(metrics, result.eval, result.targets);
    object.raw(result.eval_name, metrics.str());
  }
  if (result.has_test) {
    JsonObject metrics;
    add_metrics(metrics, result.test, result.targets);
    object.raw("test", metrics.str());
  }
  if (!result.chosen.empty()) {
    JsonObject chosen;
    for (const auto& [parameter, value] : result.chosen) chosen.text(parameter, value);
    object.raw("chosen", chosen.str());
  }
  if (result.eval.classification) object.number("temperature", result.temperature);
  if (!result.calibration.empty()) object.text("calibration", result.calibration);
  if (!result.intervals.empty()) object.text("intervals", result.intervals);
  object.text("metric", result.metric).integer("best_epoch", result.best_epoch).text("ended", result.ended);
  if (!result.tried.empty()) object.raw("tried", tried_json(result.tried));
  if (!result.bag.empty()) object.raw("bag", bag_json(result.bag));
  if (result.refit_rows > 0) {
    object.raw("refit", JsonObject().integer("rows", result.refit_rows).integer("epochs", result.refit_epochs).str());
  }
  object.raw("steps", JsonObject()
                          .integer("attempted", result.steps.attempted)
                          .integer("applied", result.steps.applied)
                          .integer("retried", result.steps.retried)
                          .integer("skipped", result.steps.skipped)
                          .str());
  std::vector<std::string> reasons;
  for (const LedgerEntry& entry : result.ledger) reasons.push_back(text(entry));
  std::vector<std::string> incidents;
  for (const Incident& incident : result.incidents) incidents.push_back(incident_json(incident));
  object.raw("incidents", "[" + joined(incidents, ",") + "]");
  object.raw("recoveries", json_array(result.recoveries));
  object.raw("ledger", ledger_json(result.ledger))
      .raw("skip_reasons", json_array(reasons))
      .number("loss_scale", result.loss_scale);
  object.number("samples_per_s", result.samples_per_s).number("seconds", result.seconds);
  object.text("model", result.model).text("report", result.report).text("weights_digest", result.weights_digest);
  object.text("checkpoint", result.checkpoint).integer("resumed_at", result.resumed_at).text("go_on", go_on);
  object.boolean("stopped", result.stopped)
      .raw("notes", json_array(notes))
      .raw("warnings", json_array(result.warnings));
  return object.text("repeat", repeat).line();
}

std::string held_out_row(const std::string& name_of_set, const Metrics& metrics, const TrainResult& result) {
  MetricKind metric = from_name<MetricKind>(result.metric).value_or(MetricKind::loss);
  if (metric == MetricKind::calibrated_loss) metric = MetricKind::loss;  // by now it is calibrated
  return row(name_of_set, metrics_text(metrics, metric) + "  (" + std::to_string(metrics.rows) + " rows)") +
         targets_text(metrics, result.targets);
}

std::string summary_text(const TrainResult& result, const std::string& repeat, const std::string& go_on) {
  std::string text = row("train", "loss " + brief(result.train.loss));
  if (!result.eval_name.empty()) {
    text += held_out_row(result.eval_name, result.eval, result);
  }
  if (result.has_test) text += held_out_row("test", result.test, result);
  text += row("steps", std::to_string(result.steps.attempted) + " attempted, " + std::to_string(result.steps.applied) +
                           " applied, " + std::to_string(result.steps.skipped) + " skipped" +
                           (result.steps.retried > 0 ? ", " + std::to_string(result.steps.retried) + " retried" : ""));
  for (const LedgerEntry& entry : result.ledger) text += row(name(entry.outcome), halfstep::text(entry));
  for (const Incident& incident : result.incidents) {
    const bool routine = incident.reason == IncidentReason::loss_scale && incident.capsule.empty();
    if (!routine) text += row("because", "step " + std::to_string(incident.step) + ": " + incident.why);
  }
  for (const std::string& action : result.recoveries) text += row("recovery", action);
  if (result.meter.step > 0) text += meter_text(result.meter);
  text += row("speed", brief(result.samples_per_s) + " samples/s, " + brief(result.seconds) + " s");
  if (result.ended == "signal") text += row("stopped", "by a signal, before the run's end");
  if (result.ended == "time limit") text += row("ended", "at the time limit, before the run's planned end");
  if (result.ended == "early stop")
    text += row("ended", "early: " + result.metric + " on " + result.eval_name + " rows no longer got better");
  if (result.best_epoch > 0)
    text += row("best", "epoch " + std::to_string(result.best_epoch) + " by " + result.metric +
                            (result.refit_rows > 0 ? "" : ", whose weights are kept"));
  if (!result.bag.empty())
    text += row("bag", std::to_string(result.bag.size()) + " networks, whose mean predicts; " + result.eval_name +
                           " is of each on the rows that it has not seen");
  if (result.refit_rows > 0)
    text += row("refit", "on all " + std::to_string(result.refit_rows) + " rows for " +
                             std::to_string(result.refit_epochs) + " epochs; " + result.eval_name +
                             " is of the run before, which knew fewer");
  if (!result.calibration.empty()) text += row("calibrated", result.calibration);
  if (!result.intervals.empty()) text += row("intervals", result.intervals);
  text += row("weights", "digest " + result.weights_digest);
  text += row("model", result.model);
  if (!result.report.empty()) text += row("report", result.report);
  text += row("repeat", repeat);
  if (!result.checkpoint.empty()) text += row("checkpoint", result.checkpoint);
  if (!go_on.empty()) text += row("go on", go_on);
  return text;
}

// The command that goes on with a run that ended early; empty where there is nothing to go on with, or nothing left.
std::string go_on_command(const Args& run, const TrainResult& result) {
  if (result.checkpoint.empty() || (result.ended != "signal" && result.ended != "time limit")) return {};
  Args again = run;
  again.options.resume = "auto";
  return repeat_command(again);
}

// The model is there whether or not anybody can read about it.
void print_summary(const std::string& summary, const TrainResult& result) {
  try {
    print(summary);
  } catch (const ClosedPipe&) {
  } catch (const Error& error) {
    ErrorParts parts = error.parts();
    parts.kept = "the trained model, in " + result.model;
    parts.hint = "halfstep inspect " + shell_quoted(result.model);
    throw Error(error.status(), parts);
  }
}

}  // namespace

int run_train(const Args& args) {
  Args run = args;
  if (run.positional.empty()) run.positional.emplace_back(kBuiltIn);
  const std::string& data = run.positional.front();
  validate(run.options);
  if (!run.config.empty()) check_apart(files_written(run.options), std::vector<NamedFile>{{"--config", run.config}});
  Args whole = run;
  whole.options.resume.clear();  // the same bits, from the start
  run.options.command = repeat_command(whole);
  Narrator narrator(run);
  std::vector<std::string> notes;
  const TrainResult result = [&] {
    Progress progress(narrator, run.options, run.verbose);  // says its last word before the summary, or the error
    return train(data, run.options,
                 observe(narrator, progress, run.verbose, !run.options.checkpoint_dir.empty(), notes));
  }();
  for (const auto& [parameter, value] : result.chosen) {
    set_option(run.options, parameter, value);
    set_option(whole.options, parameter, value);
  }
  const std::string repeat = repeat_command(whole);
  const std::string go_on = go_on_command(run, result);
  print_summary(run.json ? summary_json(data, result, notes, repeat, go_on) : summary_text(result, repeat, go_on),
                result);
  if (result.stopped && stop_signal() != 0) return 128 + stop_signal();
  return result.warnings.empty() ? kOk : kPartial;
}

}  // namespace halfstep::cli
