#include "cli/metrics_text.hpp"

#include <algorithm>
#include <vector>

#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

// Columns as wide as their widest cell; the first to the left, the others to the right.
std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& cells : rows) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  }
  std::string text;
  for (const auto& cells : rows) {
    std::string line = cells[0] + std::string(widths[0] - cells[0].size(), ' ');
    for (std::size_t i = 1; i < cells.size(); ++i) {
      line += "  " + std::string(widths[i] - cells[i].size(), ' ') + cells[i];
    }
    text += line + "\n";
  }
  return text;
}

std::string classes_text(const Metrics& metrics, std::span<const std::string> names) {
  std::vector<std::vector<std::string>> rows = {{"class", "rows", "predicted", "right", "precision", "recall", "f1"}};
  for (std::size_t i = 0; i < metrics.classes.size(); ++i) {
    const ClassCounts& c = metrics.classes[i];
    rows.push_back({printable(names[i]), std::to_string(c.rows), std::to_string(c.predicted), std::to_string(c.right),
                    brief(c.precision()), brief(c.recall()), brief(c.f1())});
  }
  return table_text(rows);
}

std::string confusion_text(const Metrics& metrics, std::span<const std::string> names) {
  std::vector<std::vector<std::string>> rows(1, {"class \\ predicted"});
  const std::size_t n = metrics.classes.size();
  for (std::size_t i = 0; i < n; ++i) rows[0].push_back(printable(names[i]));
  for (std::size_t i = 0; i < n; ++i) {
    rows.push_back({printable(names[i])});
    for (std::size_t j = 0; j < n; ++j) rows.back().push_back(std::to_string(metrics.confusion[i * n + j]));
  }
  return table_text(rows);
}

}  // namespace

std::string metrics_text(const Metrics& metrics, MetricKind also) {
  std::string text = "loss " + brief(metrics.loss);
  if (metrics.classification) text += "  accuracy " + brief(metrics.accuracy);
  if (!metrics.classification) text += "  rmse " + brief(metrics.rmse) + "  r2 " + brief(metrics.r2);
  const std::string added = std::string(name(also)) + " ";
  if (applies_to(also, metrics.classification) && text.find(added) == std::string::npos) {
    text += "  " + added + brief(value_of(metrics, also));
  }
  return metrics.non_finite == 0 ? text : text + "  without a finite output " + std::to_string(metrics.non_finite);
}

std::string targets_text(const Metrics& metrics, std::span<const std::string> names) {
  constexpr std::size_t kMost = 100;  // that people read
  const std::size_t n = metrics.targets.size();
  if (n < 2 || names.size() != n) return {};
  std::vector<std::vector<std::string>> rows = {{"target"}};
  for_each_error({}, [&](MetricKind kind, double) {
    rows[0].emplace_back(name(kind));
    std::replace(rows[0].back().begin(), rows[0].back().end(), '_', ' ');
  });
  for (std::size_t i = 0; i < std::min(n, kMost); ++i) {
    rows.push_back({printable(names[i])});
    for_each_error(metrics.targets[i], [&](MetricKind, double value) { rows.back().push_back(brief(value)); });
  }
  return table_text(rows) + (n > kMost ? "and " + std::to_string(n - kMost) + " more targets\n" : "");
}

void add_metrics(JsonObject& object, const Metrics& metrics, std::span<const std::string> targets) {
  object.integer("rows", metrics.rows);
  for_each_metric(metrics.classification, [&](MetricKind kind) { object.number(name(kind), value_of(metrics, kind)); });
  object.integer("non_finite", metrics.non_finite);
  if (targets.size() < 2 || targets.size() != metrics.targets.size()) return;
  std::vector<std::string> items;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    JsonObject item;
    item.text("name", targets[i]);
    for_each_error(metrics.targets[i], [&](MetricKind kind, double value) { item.number(name(kind), value); });
    items.push_back(item.str());
  }
  object.raw("targets", "[" + joined(items, ",") + "]");
}

std::string metrics_report(const Metrics& metrics, std::span<const std::string> classes,
                           std::span<const std::string> targets) {
  constexpr std::size_t kMostClasses = 100, kMostOfConfusion = 16;  // that people read
  std::string text;
  for_each_metric(metrics.classification, [&](MetricKind kind) {
    std::string label(name(kind));
    std::replace(label.begin(), label.end(), '_', ' ');
    text += row(label, brief(value_of(metrics, kind)), 19);
  });
  if (const std::string of_each = targets_text(metrics, targets); !of_each.empty()) return text + "\n" + of_each;
  const std::size_t n = metrics.classes.size();
  if (n == 0 || n > kMostClasses || classes.size() != n) return text;
  text += "\n" + classes_text(metrics, classes);
  if (n <= kMostOfConfusion && !metrics.confusion.empty()) text += "\n" + confusion_text(metrics, classes);
  return text;
}

}  // namespace halfstep::cli
