// The networks of a bag, and what was tried before they were trained.
#include "halfstep/text.hpp"
#include "report/run_sections.hpp"

namespace halfstep::internal::report {
namespace {

Markup networks_table(const TrainResult& result) {
  Table table = {.head = {"network", "rows held out", std::string(metric_title(result.bag.front().metric)) + " of them",
                          "epochs", "best epoch", "seconds"},
                 .kinds = {"n", "n", "n", "n", "n", "n"},
                 .rows = {}};
  for (const BaggedNetwork& network : result.bag) {
    table.rows.push_back({words(count_text(network.number)), words(count_text(network.held_out_rows)),
                          words(metric_text(network.metric, network.held_out)), words(count_text(network.epochs)),
                          words(network.best_epoch > 0 ? count_text(network.best_epoch) : "none"),
                          words(short_number(network.seconds, 3))});
  }
  return table_of(table);
}

Markup settings_table(const TrainResult& result) {
  if (result.tried.empty()) return {};
  Table table = {.head = {"settings"}, .kinds = {"w", "n", "n", ""}, .rows = {}};
  table.head.push_back(std::string(metric_title(result.tried.front().metric)));
  table.head.emplace_back("rows held out");
  table.head.emplace_back("");
  for (const TriedSettings& tried : result.tried) {
    std::string settings;
    for (const auto& [name, value] : tried.parameters)
      settings += (settings.empty() ? "--" : " --") + name + " " + value;
    table.rows.push_back({words(settings), words(metric_text(tried.metric, tried.held_out)),
                          words(count_text(tried.rows)), words(tried.taken ? "taken" : "")});
  }
  return element("h3", "Settings that were tried") + table_of(table);
}

}  // namespace

Markup networks_of(const RunReport& report) {
  if (report.result.bag.empty()) return {};
  return section("The networks",
                 "They answer together, by the mean of what each says. Each holds out a part of its own of the rows, "
                 "by which it is stopped and judged.",
                 networks_table(report.result) + settings_table(report.result));
}

}  // namespace halfstep::internal::report
