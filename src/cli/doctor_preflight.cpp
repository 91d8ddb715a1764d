// halfstep doctor preflight DATA.
#include "halfstep/preflight.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/doctor.hpp"
#include "cli/output.hpp"
#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

constexpr std::size_t kMostTensors = 40;  // of a deep network those that fp16 does something to

std::string loss_json(const StorageLoss& loss) {
  JsonObject object;
  object.number("flushed", loss.flushed).number("subnormal", loss.subnormal).number("saturated", loss.saturated);
  return object.integer("headroom_bits", loss.headroom).str();
}

std::string preflight_tensor_json(const PreflightTensor& t) {
  int first = 1, last = 254;
  while (first <= 254 && t.wide.exponents[static_cast<std::size_t>(first)] == 0) ++first;
  while (last >= first && t.wide.exponents[static_cast<std::size_t>(last)] == 0) --last;
  std::vector<std::string> counts;
  for (int i = first; i <= last; ++i) counts.push_back(std::to_string(t.wide.exponents[static_cast<std::size_t>(i)]));
  JsonObject object;
  object.text("tensor", t.tensor).integer("layer", t.layer).boolean("gradient", t.gradient);
  object.boolean("stored", t.stored).number("largest", t.largest).integer("elements", t.wide.elements);
  object.integer("zeros", t.wide.exponents[0]);
  object.raw("exponents", JsonObject()
                              .integer("first", counts.empty() ? 0 : first - 127)
                              .raw("counts", "[" + joined(counts, ",") + "]")
                              .str());
  object.raw("fp16", loss_json(t.fp16));
  if (t.gradient) object.raw("fp16_unscaled", loss_json(t.unscaled));
  return object.raw("bf16", loss_json(t.bf16)).str();
}

std::string column_json(const PreflightColumn& c) {
  JsonObject object;
  object.integer("column", c.column).text("name", c.name).number("value", c.value).text("place", c.place);
  object.raw("standardized", std::isnan(c.standardized) ? "null" : json_text(c.standardized));
  return object.boolean("overflows", c.overflows).boolean("vanishes", !c.overflows).str();
}

std::string trial_json(const PreflightTrial& t) {
  JsonObject object;
  object.text("flags", t.flags).text("precision", name(t.precision)).boolean("native", t.native);
  object.integer("steps", t.steps).integer("skipped", t.skipped).number("step_ns", t.step_ns);
  return object.number("speedup", t.speedup).number("loss", t.loss).str();
}

template <class Items, class Json>
std::string list_json(const Items& items, Json json) {
  std::vector<std::string> texts;
  for (const auto& item : items) texts.push_back(json(item));
  return "[" + joined(texts, ",") + "]";
}

// The run with what is recommended.
std::string recommended_command(const Args& args, const Preflight& p) {
  if (p.flags.empty()) return {};
  Args run = args;
  for (const auto& [parameter, value] : p.changes) set_option(run.options, parameter, value);
  return repeat_command(run);
}

std::string lift_text(const Preflight& p) {
  std::vector<std::string> layers;
  for (const LayerPrecision& l : p.lift)
    layers.push_back(std::to_string(l.layer) + "=" + std::string(name(l.precision)));
  return joined(layers, ",");
}

std::string preflight_json(const Args& args, const Preflight& p) {
  JsonObject object;
  object.text("command", "doctor").text("examination", "preflight").text("data", args.positional.front());
  object.text("model", p.model).text("machine", p.machine).integer("steps", p.steps).boolean("finite", p.finite);
  object.raw("tensors", list_json(p.tensors, preflight_tensor_json)).raw("columns", list_json(p.columns, column_json));
  object.integer("rows_read", p.rows_read);
  object.raw("constants", list_json(p.constants, [](const PreflightConstant& c) {
               JsonObject of_constant;
               of_constant.text("name", c.name).number("value", c.value).number("fp16", c.fp16);
               return of_constant.number("bf16", c.bf16).str();
             }));
  object.number("loss_scale", p.loss_scale).text("layer_precision", lift_text(p));
  object.raw("trials", list_json(p.trials, trial_json)).raw("findings", json_array(p.findings));
  object.raw("notes", json_array(p.notes)).text("recommended", p.flags).text("why", p.why);
  return object.text("train", recommended_command(args, p)).line();
}

std::string share(double of_one) {
  if (of_one == 0) return "-";
  char text[32];
  std::snprintf(text, sizeof text, of_one < 1e-4 ? "<0.01 %%" : "%.2f %%", 100 * of_one);
  return text;
}

bool loses(const StorageLoss& loss) { return loss.flushed + loss.subnormal + loss.saturated > 0; }

std::string tensors_text(const Preflight& p) {
  char line[200];
  std::string text = "\nmeter      " + std::to_string(p.steps) + " steps in fp32, gradients at the loss scale " +
                     brief(p.loss_scale) + "; bits: headroom\n";
  std::snprintf(line, sizeof line, "  %-26s %5s %10s | %13s %9s %8s %5s | %13s %8s\n", "share of the values", "layer",
                "largest", "fp16: to zero", "subnormal", "to inf", "bits", "bf16: to zero", "to inf");
  text += line;
  std::size_t left = 0;
  for (const PreflightTensor& t : p.tensors) {
    if (!t.stored) continue;
    if (p.tensors.size() > kMostTensors && !loses(t.fp16) && !loses(t.bf16)) {
      ++left;
      continue;
    }
    std::snprintf(line, sizeof line, "  %-26s %5lld %10s | %13s %9s %8s %5d | %13s %8s\n",
                  printable(t.tensor).substr(0, 26).c_str(), static_cast<long long>(t.layer), brief(t.largest).c_str(),
                  share(t.fp16.flushed).c_str(), share(t.fp16.subnormal).c_str(), share(t.fp16.saturated).c_str(),
                  t.fp16.headroom, share(t.bf16.flushed).c_str(), share(t.bf16.saturated).c_str());
    text += line;
  }
  if (left > 0) text += "  " + std::to_string(left) + " more tensors lose nothing (--json has them)\n";
  return text;
}

std::string constants_text(const Preflight& p) {
  std::vector<std::string> texts;
  for (const PreflightConstant& c : p.constants) {
    std::string text = c.name + " " + number_text(c.value) + " is ";
    const std::string fp16 = brief(c.fp16) + " in fp16", bf16 = brief(c.bf16) + " in bf16";
    const auto gone = [&](double stored) { return stored == 0 || stored == 1; };
    text += gone(c.fp16) && gone(c.bf16) ? fp16 + " and " + bf16 : gone(c.fp16) ? fp16 : bf16;
    texts.push_back(text);
  }
  return texts.empty() ? "" : row("constants", joined(texts, ", ") + ": they stay fp32 here, and nothing is lost");
}

std::string trial_text(const PreflightTrial& t) {
  return row(name(t.precision),
             std::string(t.native ? "native" : "emulated") + ", a step takes " + short_number(t.step_ns / 1000, 3) +
                 " us" + (t.precision == Dtype::fp32 ? "" : ", " + short_number(t.speedup, 3) + " of fp32's speed") +
                 "; " + std::to_string(t.steps) + " steps, " + std::to_string(t.skipped) + " skipped, mean loss " +
                 brief(t.loss) + "  (" + t.flags + ")");
}

std::string preflight_text(const Args& args, const Preflight& p) {
  std::string text = row("model", p.model) + row("machine", p.machine);
  if (!p.trials.empty()) text += tensors_text(p) + "\n";
  for (const PreflightTrial& trial : p.trials) text += trial_text(trial);
  text += constants_text(p);
  for (const std::string& finding : p.findings) text += row("finding", finding);
  text += row("recommend", p.flags.empty() ? "none" : p.flags);
  text += row("why", p.why);
  if (!p.flags.empty()) text += row("train", recommended_command(args, p));
  return text;
}

}  // namespace

int doctor_preflight(const Args& args) {
  Narrator narrator(args);
  const Preflight p = preflight(args.positional.front(), args.options);
  for (const std::string& note : p.notes) narrator.heading("note", note);
  print(args.json ? preflight_json(args, p) : preflight_text(args, p));
  return kOk;
}

}  // namespace halfstep::cli
