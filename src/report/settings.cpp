// What a run was made from: data, parameters, time, machine.
#include <algorithm>
#include <cmath>

#include "halfstep/text.hpp"
#include "report/run_sections.hpp"
#include "report/svg_plot.hpp"

namespace halfstep::internal::report {
namespace {

std::string milliseconds(double seconds) { return short_number(seconds * 1e3, 3) + " ms"; }

double median_step(const Sampled& seconds) {
  std::vector<double> means;
  for (const Sampled::Bucket& b : seconds.buckets()) {
    if (b.finite > 0) means.push_back(b.mean());
  }
  if (means.empty()) return kNan;
  std::nth_element(means.begin(), means.begin() + std::ptrdiff_t(means.size() / 2), means.end());
  return means[means.size() / 2];
}

Markup speed(const RunReport& r) {
  if (r.slowest.empty()) return {};
  Table table = {.head = {"slowest steps", "took", "why, where known"}, .kinds = {"n", "n", "w"}, .rows = {}};
  for (const SlowStep& s : r.slowest) {
    table.rows.push_back({words(count_text(s.step)), words(milliseconds(s.seconds)),
                          words(s.metered     ? "it read the meters"
                                : s.step == 1 ? "the first"
                                              : "")});
  }
  Plot plot = {.title = "Time of a step, ms", .x_label = "step"};
  Area area = {.name = "single steps", .colour = "c5", .parts = {}};
  Curve mean = {.name = "mean", .colour = "c5", .points = {}};
  Extent extent;
  for (const Sampled::Bucket& b : r.seconds.buckets()) {
    if (b.finite == 0) continue;
    const double middle = double(b.first + b.last) / 2;
    area.parts.push_back({middle, b.low * 1e3, b.high * 1e3});
    mean.points.push_back({middle, b.mean() * 1e3});
    extent.add(b.low);
    extent.add(b.high);
  }
  plot.y_scale = scale_for(extent, 10);
  plot.areas.push_back(std::move(area));
  plot.curves.push_back(std::move(mean));
  const double median = median_step(r.seconds);
  const Markup lines = facts({{"samples/s", figure_text(std::round(r.result.samples_per_s))},
                              {"a step", std::isfinite(median) ? milliseconds(median) + " in the middle" : ""},
                              {"meters", r.meters.empty() ? ""
                                                          : std::to_string(r.meters.size()) + " readings, " +
                                                                milliseconds(r.seconds_of_meters) + " in all"}});
  return section("Speed", "",
                 element("div", {{"class", "figures"}}, figure(plot) + element("div", lines + table_of(table))));
}

// Texts as a list, of many the first.
Markup list_of(const std::vector<std::string>& texts, std::size_t most) {
  constexpr std::size_t kLongest = 300;
  Markup items;
  for (std::size_t i = 0; i < std::min(texts.size(), most); ++i) items += element("li", short_name(texts[i], kLongest));
  if (texts.size() > most) items += element("li", "and " + count_text(std::int64_t(texts.size() - most)) + " more");
  return items.empty() ? items : element("ul", {{"class", "notes"}}, items);
}

Markup data_section(const RunReport& r) {
  const Markup content = facts({{"data", r.plan.data}, {"target", r.plan.target}, {"split", r.plan.split}}) +
                         list_of(r.plan.notes, 60) +
                         details("how each column becomes numbers", list_of(r.preprocessing, 120));
  return section("What was decided about the data", "", content);
}

Markup configuration(const RunReport& r) {
  Table table = {.head = {"parameter", "value"}, .kinds = {"", "w"}, .rows = {}};
  for (const auto& [name, value] : r.changed) table.rows.push_back({words("--" + name), words(value)});
  const Markup content = table.rows.empty() ? paragraph("All parameters have their defaults.") : table_of(table);
  return section("Configuration", table.rows.empty() ? "" : "Parameters that differ from their defaults.", content);
}

Markup machine(const RunReport& r) {
  std::vector<std::pair<std::string, std::string>> lines = {
      {"CPU", r.cpu},
      {"kernels", r.plan.machine},
      {"precision", r.result.precision},
      {"memory planned", short_number(double(r.plan.memory_bytes) / (1 << 20), 3) + " MiB"}};
  for (const MemoryPart& part : r.plan.memory) {
    lines.emplace_back("", "");
    lines.back() = {part.what, short_number(double(part.bytes) / (1 << 20), 3) + " MiB"};
  }
  lines.emplace_back("model", r.failure.empty() ? r.result.model : "");
  lines.emplace_back("weights digest", r.result.weights_digest);
  lines.emplace_back("version", "halfstep " + r.version);
  return section("Machine and model", "", facts(lines));
}

}  // namespace

Markup settings_of(const RunReport& report) {
  return data_section(report) + configuration(report) + speed(report) + machine(report);
}

}  // namespace halfstep::internal::report
