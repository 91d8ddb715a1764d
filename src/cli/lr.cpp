#include <algorithm>
#include <cmath>
#include <limits>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/signals.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

constexpr std::size_t kRows = 25;
constexpr double kBar = 40;  // characters

// The loss at some of the rates, and bars of it from the least to twice what it began with.
std::string curve_text(const RateSearch& found) {
  const std::size_t stride = std::max<std::size_t>(1, (found.points.size() + kRows - 1) / kRows);
  double least = std::numeric_limits<double>::infinity();
  for (const RatePoint& p : found.points) least = std::min(least, p.loss);
  const double most = 2 * found.points.front().loss - least;
  std::string text = row("rate", "loss");
  for (std::size_t i = 0; i < found.points.size(); i += stride) {
    const RatePoint& p = found.points[i];
    const double share = most > least ? std::clamp((p.loss - least) / (most - least), 0.0, 1.0) : 0.0;
    std::string loss = brief(p.loss);
    loss.resize(std::max<std::size_t>(loss.size() + 1, 11), ' ');
    text +=
        row(short_number(p.lr, 2), loss + std::string(1 + static_cast<std::size_t>(std::lround(share * kBar)), '#'));
  }
  return text;
}

std::string train_command(const Args& args, double rate) {
  Args run = args;
  set_option(run.options, "lr", short_number(rate, 2));
  return repeat_command(run);
}

std::string summary_text(const Args& args, const RateSearch& found) {
  std::string text = curve_text(found);
  if (found.suggested == 0) return text + row("suggested", "none: the loss fell at no rate");
  text += row("least", "at " + short_number(found.least, 2) +
                           (found.exploded ? "; it explodes soon behind the last line" : "; it never exploded"));
  text += row("suggested", short_number(found.suggested, 2) + ", a tenth of that");
  return text + row("train", train_command(args, found.suggested));
}

std::string summary_json(const Args& args, const RateSearch& found) {
  std::vector<std::string> points;
  for (const RatePoint& p : found.points) {
    points.push_back(JsonObject().number("lr", p.lr).number("loss", p.loss).str());
  }
  JsonObject object;
  object.text("command", "lr").text("data", args.positional[0]).raw("points", "[" + joined(points, ",") + "]");
  object.number("least", found.least).number("suggested", found.suggested).boolean("exploded", found.exploded);
  object.raw("notes", json_array(found.notes));
  return object.text("train", found.suggested > 0 ? train_command(args, found.suggested) : "").line();
}

}  // namespace

int run_lr(const Args& args) {
  Narrator narrator(args);
  catch_stop_signals();
  const RateSearch found = find_learning_rate(args.positional[0], args.options, [] { return stop_signal() != 0; });
  if (stop_signal() != 0) return 128 + stop_signal();
  for (const std::string& note : found.notes) narrator.heading("note", note);
  print(args.json ? summary_json(args, found) : summary_text(args, found));
  return kOk;
}

}  // namespace halfstep::cli
