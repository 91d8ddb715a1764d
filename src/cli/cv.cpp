#include <cmath>

#include "cli/commands.hpp"
#include "cli/lists.hpp"
#include "cli/metrics_text.hpp"
#include "cli/output.hpp"
#include "cli/signals.hpp"
#include "halfstep/jobs.hpp"

namespace halfstep::cli {
namespace {

// Over the folds: the mean, and how far a single fold is from it (the deviation of a sample).
struct Spread {
  double mean = 0, deviation = 0;
};
Spread spread_of(const CrossValidation& result, MetricKind kind) {
  const auto n = static_cast<double>(result.folds.size());
  Spread s;
  for (const Fold& fold : result.folds) s.mean += value_of(fold.held_out, kind) / n;
  for (const Fold& fold : result.folds) s.deviation += std::pow(value_of(fold.held_out, kind) - s.mean, 2) / (n - 1);
  s.deviation = std::sqrt(s.deviation);
  return s;
}

std::string fold_text(const CrossValidation& result, std::size_t folds) {
  const Fold& fold = result.folds.back();
  const MetricKind metric = from_name<MetricKind>(result.metric).value_or(MetricKind::loss);
  return "fold " + std::to_string(result.folds.size()) + "/" + std::to_string(folds) + "  trained on " +
         std::to_string(fold.train_rows) + " rows" +
         (fold.best_epoch > 0 ? ", best epoch " + std::to_string(fold.best_epoch) : "") + "  " +
         std::to_string(fold.held_out.rows) + " held out: " + metrics_text(fold.held_out, metric);
}

std::string summary_text(const CrossValidation& result) {
  std::string text;
  for_each_metric(result.classification, [&](MetricKind kind) {
    const Spread s = spread_of(result, kind);
    text += row(name(kind), brief(s.mean) + "  +- " + brief(s.deviation), 19);
  });
  return text;
}

std::string summary_json(const std::string& data, const CrossValidation& result, const std::string& repeat) {
  std::vector<std::string> folds;
  for (const Fold& fold : result.folds) {
    JsonObject object;
    object.integer("train_rows", fold.train_rows).integer("best_epoch", fold.best_epoch);
    JsonObject metrics;
    add_metrics(metrics, fold.held_out);
    folds.push_back(object.raw("held_out", metrics.str()).str());
  }
  JsonObject mean, deviation;
  for_each_metric(result.classification, [&](MetricKind kind) {
    const Spread s = spread_of(result, kind);
    mean.number(name(kind), s.mean);
    deviation.number(name(kind), s.deviation);
  });
  JsonObject object;
  object.text("command", "cv").text("data", data).text("split", result.how).text("metric", result.metric);
  object.raw("mean", mean.str()).raw("deviation", deviation.str()).raw("folds", "[" + joined(folds, ",") + "]");
  return object.raw("notes", json_array(result.notes)).text("repeat", repeat).line();
}

}  // namespace

int run_cv(const Args& args) {
  const std::string& data = args.positional[0];
  const std::size_t folds = number(flag_value(args, "folds"), "folds", 1000);
  Narrator narrator(args);
  FoldObserver observer;
  observer.on_fold = [&](const CrossValidation& so_far) { narrator.line(fold_text(so_far, folds)); };
  observer.should_stop = [] { return stop_signal() != 0; };
  catch_stop_signals();
  const CrossValidation result = cross_validate(data, static_cast<int>(folds), args.options, observer);
  for (const std::string& note : result.notes) narrator.heading("note", note);
  if (result.folds.size() < folds) return 128 + stop_signal();
  print(args.json ? summary_json(data, result, repeat_command(args, "cv")) : summary_text(result));
  return kOk;
}

}  // namespace halfstep::cli
