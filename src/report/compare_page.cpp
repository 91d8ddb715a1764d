#include "report/compare_page.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "report/run_sections.hpp"
#include "report/style.hpp"
#include "report/svg_plot.hpp"

namespace halfstep::internal::report {
namespace {

constexpr std::size_t kColours = 8;
constexpr std::size_t kMostDrawn = 24;
constexpr auto kLoss = static_cast<std::size_t>(MetricKind::loss);
constexpr MetricKind kDrawn[] = {MetricKind::accuracy, MetricKind::balanced_accuracy,
                                 MetricKind::roc_auc,  MetricKind::rmse,
                                 MetricKind::r2,       MetricKind::mae};

std::string colour_of(std::size_t run) { return "c" + std::to_string(run % kColours); }

std::string heading_of(MetricKind kind) {
  std::string text(metric_title(kind));
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

Markup legend_of(const std::vector<MetricsFile>& files) {
  Markup keys;
  for (std::size_t i = 0; i < std::min(files.size(), kMostDrawn); ++i) {
    keys += legend_key(colour_of(i), short_name(files[i].name)) + Markup{" "};
  }
  return element("p", {{"class", "keys"}}, keys);
}

// A curve a run, logarithmic where they span more than a factor of `span`. `value` of an epoch; nothing is drawn where
// no run has one.
template <class F>
Markup compared(const std::vector<MetricsFile>& files, const std::string& title, Scale scale, double span, F value) {
  Plot plot = {.title = title, .x_label = "step"};
  Extent extent;
  std::size_t epochs_drawn = 2400 / std::max<std::size_t>(files.size(), 1);
  epochs_drawn = std::clamp<std::size_t>(epochs_drawn, 40, 300);
  for (std::size_t i = 0; i < std::min(files.size(), kMostDrawn); ++i) {
    Curve curve = {.name = {}, .colour = colour_of(i), .points = {}, .dashed = i >= kColours};
    const auto& epochs = files[i].epochs;
    const std::size_t stride = epochs.size() / epochs_drawn + 1;
    bool any = false;
    for (std::size_t e = 0; e < epochs.size(); ++e) {
      if ((epochs.size() - 1 - e) % stride != 0) continue;
      const double y = value(epochs[e]);
      any = any || y == y;
      extent.add(y);
      curve.points.push_back({static_cast<double>(epochs[e].step), y});
    }
    if (any) plot.curves.push_back(std::move(curve));
  }
  if (plot.curves.empty()) return {};
  if (span > 0 && scale_for(extent, span) != Scale::linear) plot.y_scale = scale;
  return figure(plot);
}

std::string shown(double value) { return std::isnan(value) ? "–" : figure_text(value); }

Markup figures_table(const std::vector<MetricsFile>& files) {
  Table table = {.head = {"run", "epochs", "steps", "skipped", "train loss", "held-out loss", "best", "at epoch",
                          "accuracy", "RMSE", "samples/s"},
                 .kinds = {"w", "n", "n", "n", "n", "n", "n", "n", "n", "n", "n"},
                 .rows = {}};
  for (std::size_t i = 0; i < files.size(); ++i) {
    const RunFigures f = figures_of(files[i]);
    const Markup key = i < kMostDrawn ? element("i", {{"class", "key " + colour_of(i)}}, {}) : Markup{};
    table.rows.push_back({key + words(short_name(f.name, 120)), words(count_text(f.epochs)),
                          words(count_text(f.steps.attempted)), words(count_text(f.steps.skipped)),
                          words(shown(f.train_loss)), words(shown(f.eval_loss)), words(shown(f.best_eval_loss)),
                          words(f.best_epoch > 0 ? count_text(f.best_epoch) : "–"),
                          words(std::isnan(f.accuracy) ? "–" : metric_text(MetricKind::accuracy, f.accuracy)),
                          words(shown(f.rmse)), words(shown(std::round(f.samples_per_s)))});
  }
  return table_of(table);
}

Markup skips(const std::vector<MetricsFile>& files) {
  Table table = {.head = {"run", "step", "what", "why", "loss scale"}, .kinds = {"w", "n", "", "", "n"}, .rows = {}};
  for (const MetricsFile& file : files) {
    for (std::size_t i = 0; i < std::min<std::size_t>(file.incidents.size(), 10) && table.rows.size() < 100; ++i) {
      const StepRecord& r = file.incidents[i];
      table.rows.push_back({words(short_name(file.name, 120)), words(count_text(r.step)), words(name(r.outcome)),
                            words(explain(r.cause)), words(figure_text(r.loss_scale))});
    }
  }
  return table.rows.empty() ? Markup{} : table_of(table);
}

}  // namespace

RunFigures figures_of(const MetricsFile& file) {
  const EpochPoint& last = file.epochs.back();
  RunFigures f;
  f.name = file.name;
  f.epochs = last.epoch;
  f.steps = file.steps;
  f.train_loss = last.train_loss;
  f.eval_loss = last.eval[kLoss];
  f.best_eval_loss = kNan;
  f.accuracy = last.eval[static_cast<std::size_t>(MetricKind::accuracy)];
  f.rmse = last.eval[static_cast<std::size_t>(MetricKind::rmse)];
  std::vector<double> speeds;
  for (const EpochPoint& e : file.epochs) {
    if (std::isfinite(e.samples_per_s)) speeds.push_back(e.samples_per_s);
    if (!std::isfinite(e.eval[kLoss]) || e.eval[kLoss] >= f.best_eval_loss) continue;
    f.best_eval_loss = e.eval[kLoss];
    f.best_epoch = e.epoch;
  }
  f.samples_per_s = kNan;
  if (!speeds.empty()) {
    const auto middle = speeds.begin() + static_cast<std::ptrdiff_t>(speeds.size() / 2);
    std::nth_element(speeds.begin(), middle, speeds.end());
    f.samples_per_s = *middle;
  }
  return f;
}

std::string compare_page(const std::vector<MetricsFile>& files, std::string_view version) {
  Markup figures =
      compared(files, "Loss, held out", Scale::log10, 30, [](const EpochPoint& e) { return e.eval[kLoss]; }) +
      compared(files, "Loss, train", Scale::log10, 30, [](const EpochPoint& e) { return e.train_loss; });
  for (const MetricKind kind : kDrawn) {
    const auto index = static_cast<std::size_t>(kind);
    figures += compared(files, heading_of(kind) + ", held out", Scale::linear, 0,
                        [&](const EpochPoint& e) { return e.eval[index]; });
  }
  figures += compared(files, "Learning rate", Scale::linear, 0, [](const EpochPoint& e) { return e.lr; }) +
             compared(files, "Gradient norm", Scale::log10, 10, [](const EpochPoint& e) { return e.grad_norm; }) +
             compared(files, "Loss scale", Scale::log2, 1.5, [](const EpochPoint& e) { return e.loss_scale; }) +
             compared(files, "Speed, samples/s", Scale::linear, 0, [](const EpochPoint& e) { return e.samples_per_s; });
  std::string lead = "A curve a run, a point an epoch.";
  if (files.size() > kMostDrawn) lead += " Drawn are the first " + std::to_string(kMostDrawn) + " runs.";
  const std::string title = files.size() == 1 ? "One run" : std::to_string(files.size()) + " runs";
  const Markup body =
      element("header", element("h1", title)) +
      section("Where they ended", "Of the last epoch, but for the best.", figures_table(files)) +
      section("How they went", lead, legend_of(files) + element("div", {{"class", "figures"}}, figures)) +
      section("Steps skipped and retried", "The first of each run.", skips(files));
  return page("halfstep: " + title, body,
              "halfstep " + std::string(version) + ". This page is complete in itself: it loads and runs nothing.");
}

}  // namespace halfstep::internal::report
