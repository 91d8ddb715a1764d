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
template <class F>
Spread spread_over(const CrossValidation& result, F value) {
  const auto n = static_cast<double>(result.folds.size());
  Spread s;
  for (const Fold& fold : result.folds) s.mean += value(fold.held_out) / n;
  for (const Fold& fold : result.folds) s.deviation += std::pow(value(fold.held_out) - s.mean, 2) / (n - 1);
  s.deviation = std::sqrt(s.deviation);
  return s;
}
Spread spread_of(const CrossValidation& result, MetricKind kind) {
  return spread_over(result, [&](const Metrics& metrics) { return value_of(metrics, kind); });
}
// Of one of several targets: calls f(kind, spread).
template <class F>
void for_each_spread(const CrossValidation& result, std::size_t target, F f) {
  for_each_error({}, [&](MetricKind wanted, double) {
    f(wanted, spread_over(result, [&](const Metrics& metrics) {
        double found = 0;
        for_each_error(metrics.targets[target], [&](MetricKind kind, double v) { found = kind == wanted ? v : found; });
        return found;
      }));
  });
}

std::string fold_text(const CrossValidation& result, std::size_t folds) {
  const Fold& fold = result.folds.back();
  const MetricKind metric = from_name<MetricKind>(result.metric).value_or(MetricKind::loss);
  return "fold " + std::to_string(result.folds.size()) + "/" + std::to_string(folds) + "  trained on " +
         std::to_string(fold.train_rows) + " rows" +
         (fold.best_epoch > 0 ? ", best epoch " + std::to_string(fold.best_epoch) : "") + "  " +
         std::to_string(fold.held_out.rows) + " held out: " + metrics_text(fold.held_out, metric);
}

std::string spread_text(const Spread& s) { return brief(s.mean) + "  +- " + brief(s.deviation); }

std::string summary_text(const CrossValidation& result) {
  std::string text;
  for_each_metric(result.classification, [&](MetricKind kind) {
    const Spread s = spread_of(result, kind);
    text += row(name(kind), spread_text(s), 19);
  });
  for (std::size_t t = 0; result.targets.size() > 1 && t < result.targets.size(); ++t) {
    std::string of_target;
    for_each_spread(result, t, [&](MetricKind kind, const Spread& s) {
      of_target += (of_target.empty() ? "" : ", ") + std::string(name(kind)) + " " + spread_text(s);
    });
    text += row(result.targets[t], of_target, 19);
  }
  return text;
}

std::string summary_json(const std::string& data, const CrossValidation& result, const std::string& repeat) {
  std::vector<std::string> folds;
  for (const Fold& fold : result.folds) {
    JsonObject object;
    object.integer("train_rows", fold.train_rows).integer("best_epoch", fold.best_epoch);
    JsonObject metrics;
    add_metrics(metrics, fold.held_out, result.targets);
    folds.push_back(object.raw("held_out", metrics.str()).str());
  }
  JsonObject mean, deviation;
  for_each_metric(result.classification, [&](MetricKind kind) {
    const Spread s = spread_of(result, kind);
    mean.number(name(kind), s.mean);
    deviation.number(name(kind), s.deviation);
  });
  std::vector<std::string> targets;
  for (std::size_t t = 0; result.targets.size() > 1 && t < result.targets.size(); ++t) {
    JsonObject of_mean, of_deviation, item;
    for_each_spread(result, t, [&](MetricKind kind, const Spread& s) {
      of_mean.number(name(kind), s.mean);
      of_deviation.number(name(kind), s.deviation);
    });
    item.text("name", result.targets[t]).raw("mean", of_mean.str()).raw("deviation", of_deviation.str());
    targets.push_back(item.str());
  }
  JsonObject object;
  object.text("command", "cv").text("data", data).text("split", result.how).text("metric", result.metric);
  object.raw("mean", mean.str()).raw("deviation", deviation.str()).raw("folds", "[" + joined(folds, ",") + "]");
  if (!targets.empty()) object.raw("targets", "[" + joined(targets, ",") + "]");
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
