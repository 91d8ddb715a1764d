// The top of the page: what was trained on what, how good it is, how it ended.
#include <algorithm>
#include <cmath>

#include "halfstep/text.hpp"
#include "report/run_sections.hpp"

namespace halfstep::internal::report {
namespace {

constexpr MetricKind kOfClasses[] = {MetricKind::accuracy, MetricKind::balanced_accuracy, MetricKind::roc_auc,
                                     MetricKind::log_loss, MetricKind::calibration_error, MetricKind::f1};
constexpr MetricKind kOfValues[] = {MetricKind::r2, MetricKind::rmse, MetricKind::mae, MetricKind::median_error};

Markup big_number(std::string_view value, std::string_view what) {
  return element("div", element("b", value) + element("span", what));
}

Markup big_numbers(const RunReport& report) {
  Markup numbers;
  const Metrics& m = report.held_out.metrics;
  const auto add = [&](MetricKind kind) {
    const double value = value_of(m, kind);
    if (std::isfinite(value)) numbers += big_number(metric_text(kind, value), metric_title(kind));
  };
  if (!report.held_out.name.empty()) {
    // What the user asked for comes first. The outputs are calibrated by now, and that loss is the loss.
    const auto asked = from_name<MetricKind>(report.result.metric).value_or(MetricKind::loss);
    if (asked != MetricKind::loss && asked != MetricKind::calibrated_loss) add(asked);
    for (const MetricKind kind : m.classification ? std::span<const MetricKind>(kOfClasses) : kOfValues) {
      if (kind != asked) add(kind);
    }
    numbers += big_number(figure_text(m.loss), "loss, " + report.held_out.name + " rows");
  }
  if (report.failure.empty())
    numbers += big_number(figure_text(report.result.train.loss),
                          report.result.bag.empty() ? "loss, last epoch of training" : "loss, last epochs of training");
  return element("div", {{"class", "big"}}, numbers);
}

Markup badge(std::string_view kind, std::string_view text) { return element("li", {{"class", kind}}, words(text)); }

Markup ends(const RunReport& report) {
  const TrainResult& r = report.result;
  Markup list;
  if (!report.failure.empty()) {
    list += badge("bad", "diverged: there is no model");
  } else if (r.ended.empty()) {
    list += badge("good", "ran to its planned end");
  } else {
    list += badge("", "ended by " + (r.ended == "signal" || r.ended == "lost checkpoint" ? "a " + r.ended : r.ended));
  }
  if (!r.bag.empty()) list += badge("good", count_text(std::int64_t(r.bag.size())) + " networks that answer together");
  if (r.best_epoch > 0) list += badge("good", "weights of epoch " + count_text(r.best_epoch) + " kept, the best");
  list += badge("", count_text(r.steps.applied) + (r.steps.applied == 1 ? " step applied" : " steps applied"));
  if (r.steps.skipped > 0) list += badge("bad", count_text(r.steps.skipped) + " skipped");
  if (r.steps.retried > 0) list += badge("", count_text(r.steps.retried) + " retried");
  if (r.samples_per_s > 0) list += badge("", figure_text(std::round(r.samples_per_s)) + " samples/s");
  if (r.seconds > 0) list += badge("", short_number(r.seconds, 3) + " s of training");
  return element("ul", {{"class", "ends"}}, list);
}

}  // namespace

bool is_share(MetricKind kind) {
  return kind == MetricKind::accuracy || kind == MetricKind::balanced_accuracy || kind == MetricKind::calibration_error;
}

std::string_view metric_title(MetricKind kind) {
  switch (kind) {
    case MetricKind::loss:
      return "loss";
    case MetricKind::accuracy:
      return "accuracy";
    case MetricKind::balanced_accuracy:
      return "balanced accuracy";
    case MetricKind::log_loss:
      return "log loss";
    case MetricKind::roc_auc:
      return "ROC AUC";
    case MetricKind::average_precision:
      return "average precision";
    case MetricKind::f1:
      return "F1";
    case MetricKind::brier:
      return "Brier score";
    case MetricKind::calibration_error:
      return "calibration error";
    case MetricKind::calibrated_loss:
      return "calibrated loss";
    case MetricKind::rmse:
      return "RMSE";
    case MetricKind::r2:
      return "R²";
    case MetricKind::mae:
      return "mean absolute error";
    case MetricKind::median_error:
      return "median error";
  }
  return "";
}

std::string metric_text(MetricKind kind, double value) {
  return is_share(kind) && std::isfinite(value) ? short_number(value * 100, 4) + "\u202f%" : figure_text(value);
}

Markup head_of(const RunReport& report) {
  Markup head = element("h1", report.data) + element("p", report.plan.target) + element("p", report.plan.model) +
                element("p", report.plan.split);
  Markup body = element("header", head);
  if (!report.failure.empty()) body += element("div", {{"class", "fail"}}, words(report.failure));
  body += big_numbers(report) + ends(report);
  for (const std::string& warning : report.result.warnings) {
    body += element("div", {{"class", "fail"}}, words("warning: " + warning));
  }
  if (!report.repeat.empty()) body += element("code", report.repeat);
  return body;
}

}  // namespace halfstep::internal::report
