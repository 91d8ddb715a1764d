// halfstep report: several runs on one page.
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "halfstep/jobs.hpp"

namespace halfstep::cli {
namespace {

std::string figures_json(const RunFigures& f) {
  JsonObject object;
  object.text("metrics", f.name).integer("epochs", f.epochs).integer("steps", f.steps.attempted);
  object.integer("skipped", f.steps.skipped).number("train_loss", f.train_loss);
  if (f.best_epoch > 0 || f.eval_loss == f.eval_loss) object.number("eval_loss", f.eval_loss);
  if (f.best_epoch > 0) object.number("best_eval_loss", f.best_eval_loss).integer("best_epoch", f.best_epoch);
  if (f.accuracy == f.accuracy) object.number("eval_accuracy", f.accuracy);
  if (f.rmse == f.rmse) object.number("eval_rmse", f.rmse);
  return object.number("samples_per_s", f.samples_per_s).str();
}

std::string figures_text(const RunFigures& f) {
  std::string text = f.name + "  epochs " + std::to_string(f.epochs) + "  train loss " + brief(f.train_loss);
  if (f.eval_loss == f.eval_loss) text += "  eval loss " + brief(f.eval_loss);
  if (f.best_epoch > 0) text += "  best " + brief(f.best_eval_loss) + " at epoch " + std::to_string(f.best_epoch);
  if (f.accuracy == f.accuracy) text += "  accuracy " + brief(f.accuracy);
  if (f.rmse == f.rmse) text += "  rmse " + brief(f.rmse);
  if (f.steps.skipped > 0) text += "  skipped " + std::to_string(f.steps.skipped);
  return row("run", text);
}

}  // namespace

int run_report(const Args& args) {
  const std::string& out = flag_value(args, "out");
  const std::vector<RunFigures> runs = compare_runs(args.positional, out);
  if (args.json) {
    std::vector<std::string> items;
    for (const RunFigures& run : runs) items.push_back(figures_json(run));
    print(
        JsonObject().text("command", "report").text("report", out).raw("runs", "[" + joined(items, ",") + "]").line());
    return kOk;
  }
  std::string text;
  for (const RunFigures& run : runs) text += figures_text(run);
  print(text + row("report", out));
  return kOk;
}

}  // namespace halfstep::cli
