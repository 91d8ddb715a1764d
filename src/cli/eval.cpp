#include "cli/commands.hpp"
#include "cli/metrics_text.hpp"
#include "cli/output.hpp"
#include "halfstep/jobs.hpp"

namespace halfstep::cli {

namespace {

void add_classes(JsonObject& object, const Metrics& metrics, const std::vector<std::string>& names) {
  std::vector<std::string> classes, confusion;
  for (std::size_t i = 0; i < metrics.classes.size(); ++i) {
    const ClassCounts& c = metrics.classes[i];
    JsonObject of_class;
    of_class.text("class", names[i])
        .integer("rows", c.rows)
        .integer("predicted", c.predicted)
        .integer("right", c.right);
    classes.push_back(
        of_class.number("precision", c.precision()).number("recall", c.recall()).number("f1", c.f1()).str());
  }
  object.raw("classes", "[" + joined(classes, ",") + "]");
  if (metrics.confusion.empty()) return;
  const std::size_t n = metrics.classes.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<std::string> counts;
    for (std::size_t j = 0; j < n; ++j) counts.push_back(std::to_string(metrics.confusion[i * n + j]));
    confusion.push_back("[" + joined(counts, ",") + "]");
  }
  object.raw("confusion", "[" + joined(confusion, ",") + "]");
}

}  // namespace

int run_eval(const Args& args) {
  const std::string& model = args.positional[0];
  const std::string& data = args.positional[1];
  const Evaluation result = evaluate(model, data, args.options);
  const Metrics& metrics = result.metrics;
  Narrator narrator(args);
  for (const std::string& read : result.reads) {
    if (args.verbose) narrator.heading("read", read);
  }
  for (const std::string& note : result.notes) narrator.heading("note", note);
  for (const std::string& warning : result.warnings) narrator.warning(warning);
  if (args.json) {
    JsonObject object;
    object.text("command", "eval").text("model", model).text("data", data);
    add_metrics(object, metrics, result.targets);
    if (metrics.classification) add_classes(object, metrics, result.classes);
    object.raw("notes", json_array(result.notes)).raw("warnings", json_array(result.warnings));
    print(object.line());
  } else {
    print(std::to_string(metrics.rows) + " rows  " + metrics_text(metrics) + "\n\n" +
          metrics_report(metrics, result.classes, result.targets));
  }
  return result.warnings.empty() ? kOk : kPartial;
}

}  // namespace halfstep::cli
