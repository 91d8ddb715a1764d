// halfstep doctor FILE, halfstep doctor replay CAPSULE.
#include <cmath>
#include <cstdio>

#include "cli/doctor.hpp"
#include "cli/incident_json.hpp"
#include "cli/meter_text.hpp"
#include "cli/output.hpp"
#include "halfstep/diagnosis.hpp"
#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

std::string different(double value) {
  if (std::isinf(value)) return "not finite";
  if (value == 0) return "same";
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", value);
  return text;
}

std::string replay_text(const Replay& r) {
  std::string text =
      row("replay", "on " + r.isa + ", " + std::to_string(r.threads) + (r.threads == 1 ? " thread: " : " threads: ") +
                        (r.same_bits ? "the bits of the run" : "NOT the bits of the run"));
  for (const ReplayRun& run : r.runs) {
    const std::string end = run.finite ? "finite, loss " + brief(run.loss) + ", gradient norm " + brief(run.grad_norm)
                                       : "not finite, first in " + (run.tensor.empty() ? "the gradients" : run.tensor);
    text += row("", run.precision + (run.recorded ? " (as recorded): " : ": ") + end);
  }
  text += "\ndifference from fp32, relative\n";
  char line[200];
  std::snprintf(line, sizeof line, "  %-24s %12s %12s %12s %12s\n", "tensor", "largest", "recorded", "bf16", "fp16");
  text += line;
  for (const ReplayTensor& t : r.tensors) {
    if (t.differences.size() != 4) continue;
    std::snprintf(line, sizeof line, "  %-24s %12s %12s %12s %12s%s\n", printable(t.tensor).c_str(),
                  brief(t.largest).c_str(), different(t.differences[0]).c_str(), different(t.differences[2]).c_str(),
                  different(t.differences[3]).c_str(), t.tensor == r.first_different ? "   <- first" : "");
    text += line;
  }
  return text;
}

// A bar of eighths, the most of all as wide as the field.
std::string rows_text(const Diagnosis& d) {
  if (d.rows.empty()) return {};
  std::string text =
      std::string("\ngradient of single rows") + (d.rows_are_exact ? "" : " (BatchNorm mixes rows: a hint)") + "\n";
  for (const RowGradient& r : d.rows) {
    char line[160];
    const std::string place = r.place.empty() ? "row " + std::to_string(r.row) : r.place;
    const auto width = static_cast<int>(std::lround(30 * std::min(r.share, 1.0)));
    std::snprintf(line, sizeof line, "  %-16s %10s %7.2f %%  ", printable(place).c_str(), brief(r.norm).c_str(),
                  100 * r.share);
    text += line + std::string(static_cast<std::size_t>(width), '#') + "\n";
  }
  return text;
}

// Of a deep network those that lose something.
MeterReport worth_showing(MeterReport meters) {
  constexpr std::size_t kMost = 24;
  if (meters.tensors.size() <= kMost) return meters;
  const auto whole = [](const TensorMeter& m) { return m.flushed + m.subnormal + m.saturated + m.non_finite == 0; };
  std::erase_if(meters.tensors, whole);
  return meters;
}

std::string diagnosis_text(const Diagnosis& d) {
  std::string text;
  if (d.kind == "capsule") {
    const std::string words = halfstep::text(d.incident);
    text += words.substr(0, words.rfind("  replay"));  // this is it
    text += "\n" + replay_text(d.replay) + "\n";
    text += row("bisect", d.bisection.text);
    text += rows_text(d) + "\n";
  }
  if (!d.meters.tensors.empty()) {
    const MeterReport shown = worth_showing(d.meters);
    const std::size_t left = d.meters.tensors.size() - shown.tensors.size();
    text += meter_text(shown) + exponents_text(shown);
    if (left > 0) text += "  " + std::to_string(left) + " more tensors lose nothing (--json has them)\n";
    text += "\n";
  }
  // The first two of a capsule stand above.
  for (std::size_t i = d.kind == "capsule" ? 2 : 0; i < d.findings.size(); ++i) text += row("finding", d.findings[i]);
  if (d.findings.empty()) text += row("finding", "nothing is wrong that could be seen in this " + d.kind);
  return text;
}

std::string replay_json(const Replay& r) {
  std::vector<std::string> runs, tensors;
  for (const ReplayRun& run : r.runs) {
    JsonObject object;
    object.text("precision", run.precision).boolean("recorded", run.recorded).boolean("finite", run.finite);
    object.text("cause", name(run.cause)).text("tensor", run.tensor);
    runs.push_back(object.number("loss", run.loss).number("grad_norm", run.grad_norm).str());
  }
  for (const ReplayTensor& t : r.tensors) {
    std::vector<std::string> differences;
    for (const double value : t.differences) differences.push_back(json_text(value));
    tensors.push_back(JsonObject()
                          .text("tensor", t.tensor)
                          .number("largest", t.largest)
                          .raw("differences", "[" + joined(differences, ",") + "]")
                          .str());
  }
  JsonObject object;
  object.text("isa", r.isa).integer("threads", r.threads).boolean("same_bits", r.same_bits);
  object.raw("runs", "[" + joined(runs, ",") + "]").raw("tensors", "[" + joined(tensors, ",") + "]");
  return object.text("first_different", r.first_different).str();
}

std::string bisection_json(const Bisection& b) {
  std::vector<std::string> lift;
  for (const LayerPrecision& l : b.lift) lift.push_back(std::to_string(l.layer) + "=" + std::string(name(l.precision)));
  JsonObject object;
  object.boolean("lift_helps", b.lift_helps).text("layer_precision", joined(lift, ","));
  return object.number("loss_scale", b.loss_scale).integer("replays", b.replays).text("text", b.text).str();
}

std::string diagnosis_json(const std::string& file, const Diagnosis& d) {
  JsonObject object;
  object.text("command", "doctor").text("examination", "file").text("file", file).text("kind", d.kind);
  object.boolean("healthy", d.healthy).raw("findings", json_array(d.findings));
  if (d.kind == "capsule") {
    std::vector<std::string> rows;
    for (const RowGradient& r : d.rows) {
      JsonObject of_row;
      of_row.integer("row", r.row).integer("example", r.example).text("place", r.place);
      rows.push_back(of_row.number("norm", r.norm).number("share", r.share).str());
    }
    object.raw("incident", incident_json(d.incident)).raw("replay", replay_json(d.replay));
    object.raw("bisection", bisection_json(d.bisection)).raw("rows", "[" + joined(rows, ",") + "]");
    object.boolean("rows_are_exact", d.rows_are_exact);
  }
  object.raw("meters", meter_json(d.meters));
  return object.line();
}

}  // namespace

int doctor_file(const Args& args) {
  const std::string& file = args.positional.front();
  const Diagnosis d = diagnose(file, args.options);
  print(args.json ? diagnosis_json(file, d) : diagnosis_text(d));
  return kOk;
}

int doctor_replay(const Args& args) {
  const std::string& file = args.positional.front();
  const Replay r = replay(file, args.options);
  if (args.json) {
    print("{\"command\":\"doctor\",\"examination\":\"replay\",\"file\":" + json_text(file) +
          ",\"replay\":" + replay_json(r) + "}\n");
  } else {
    print(replay_text(r));
  }
  return kOk;
}

}  // namespace halfstep::cli
