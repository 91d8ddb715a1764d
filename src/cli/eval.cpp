#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "halfstep/jobs.hpp"

namespace halfstep::cli {

int run_eval(const Args& args) {
  const std::string& model = args.positional[0];
  const std::string& data = args.positional[1];
  const Evaluation result = evaluate(model, data, args.options);
  const Metrics& metrics = result.metrics;
  Narrator narrator(args);
  for (const std::string& note : result.notes) narrator.heading("note", note);
  for (const std::string& warning : result.warnings) narrator.warning(warning);
  if (args.json) {
    JsonObject object;
    object.text("command", "eval").text("model", model).text("data", data);
    add_metrics(object, metrics);
    object.raw("notes", json_array(result.notes)).raw("warnings", json_array(result.warnings));
    print(object.line());
  } else {
    print(std::to_string(metrics.rows) + " rows  " + metrics_text(metrics) + "\n");
  }
  return result.warnings.empty() ? kOk : kPartial;
}

}  // namespace halfstep::cli
