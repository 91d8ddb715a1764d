#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "halfstep/jobs.hpp"

namespace halfstep::cli {

int run_eval(const Args& args) {
  const std::string& model = args.positional[0];
  const std::string& data = args.positional[1];
  const Evaluation metrics = evaluate(model, data, args.options);
  Narrator narrator(args);
  for (const std::string& note : metrics.notes) narrator.heading("note", note);
  if (args.json) {
    JsonObject object;
    object.text("command", "eval").text("model", model).text("data", data);
    add_metrics(object, metrics);
    object.raw("notes", json_array(metrics.notes));
    print(object.line());
  } else {
    print(std::to_string(metrics.rows) + " rows  " + metrics_text(metrics) + "\n");
  }
  return kOk;
}

}  // namespace halfstep::cli
