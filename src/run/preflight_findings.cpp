#include "run/preflight_findings.hpp"

#include <algorithm>
#include <cmath>

#include "halfstep/text.hpp"
#include "run/precision_choice.hpp"

namespace halfstep::internal {

namespace {

constexpr std::size_t kMostColumns = 8;  // that get a sentence of their own
constexpr double kMuchFlushed = 0.05;

std::string percent(double of_one) { return short_number(100 * of_one, 3) + " %"; }

std::string called(const PreflightColumn& c) {
  return c.name.empty() ? "input " + std::to_string(c.column) : "column '" + c.name + "'";
}

std::string column_text(const PreflightColumn& c) {
  const std::string place = " (" + c.place + "): ";
  std::string text = called(c);
  if (c.overflows) text += " reaches " + short_number(c.value, 7) + place + "it does not fit fp16, which ends at 65504";
  if (!c.overflows)
    text += " is nowhere larger than " + short_number(std::fabs(c.value)) + place + "all of it is zero in fp16";
  if (std::isnan(c.standardized)) return text + "; bf16 has the range of fp32";
  return text + "; --standardize auto makes " + short_number(c.standardized, 3) + " of it, bf16 has the range of fp32";
}

void add_columns(const Preflight& report, std::vector<std::string>& out) {
  for (std::size_t i = 0; i < std::min(report.columns.size(), kMostColumns); ++i) {
    out.push_back(column_text(report.columns[i]));
  }
  if (report.columns.size() > kMostColumns) {
    out.push_back(std::to_string(report.columns.size() - kMostColumns) + " more columns do not suit fp16 (--json)");
  }
}

bool lifted(const Preflight& report, std::int64_t layer) {
  return std::any_of(report.lift.begin(), report.lift.end(), [&](const auto& l) { return l.layer == layer; });
}

// Of gradients that fp16 keeps the one that loses most without a loss scale.
void add_scale(const Preflight& report, std::size_t layers, std::vector<std::string>& out) {
  const PreflightTensor* worst = nullptr;
  for (const PreflightTensor& t : report.tensors) {
    if (!t.gradient || !t.stored || lifted(report, t.layer)) continue;
    if (!worst || t.unscaled.flushed > worst->unscaled.flushed) worst = &t;
  }
  if (!worst || report.lift.size() == layers) return;
  std::string text = "in fp16 " + percent(worst->unscaled.flushed) + " of " + worst->tensor +
                     " becomes zero without a loss scale, and " + percent(worst->fp16.flushed) + " at " +
                     number_text(report.loss_scale) + ", which leaves two bits free above the largest gradient" +
                     (report.lift.empty() ? "" : " of the layers that stay fp16");
  if (worst->unscaled.flushed < kMuchFlushed) {
    text = "the first loss scale for fp16 is " + number_text(report.loss_scale) +
           ": two bits stay free above the largest gradient";
  }
  out.push_back(text);
}

std::string fault(const PreflightTensor& t, double loss_scale) {
  const std::string scaled = t.gradient ? " at the loss scale " + number_text(loss_scale) : "";
  if (t.fp16.saturated > 0) return percent(t.fp16.saturated) + " of " + t.tensor + " becomes infinite" + scaled;
  if (t.fp16.headroom < 1 && !t.gradient) return t.tensor + " reaches " + short_number(t.largest, 4);
  if (t.fp16.headroom < 2) return t.tensor + " reaches " + short_number(t.largest, 4) + " before scaling";
  return percent(t.fp16.flushed) + " of " + t.tensor + " becomes zero, " + percent(t.fp16.subnormal) + " subnormal" +
         scaled;
}

// The tensor of a layer that suits fp16 least.
const PreflightTensor* worst_of(const Preflight& report, std::int64_t layer) {
  const PreflightTensor* worst = nullptr;
  const auto badness = [](const PreflightTensor& t) {
    return 4 * (t.fp16.saturated > 0) + t.fp16.flushed + t.fp16.subnormal / 2 + (t.fp16.headroom < 2);
  };
  for (const PreflightTensor& t : report.tensors) {
    if (t.stored && t.layer == layer && (!worst || badness(t) > badness(*worst))) worst = &t;
  }
  return worst;
}

void add_lifts(const Preflight& report, std::size_t layers, std::vector<std::string>& out) {
  if (report.lift.size() == layers) {
    out.push_back("fp16 suits no layer of this network at any loss scale: bf16 has the range of fp32");
  }
  for (const LayerPrecision& l : report.lift) {
    const PreflightTensor* const t = worst_of(report, l.layer);
    if (!t || report.lift.size() > kMostColumns) continue;
    const bool output = t->tensor.ends_with(".output");
    out.push_back("fp16 is too narrow for layer " + std::to_string(l.layer) + ": " + fault(*t, report.loss_scale) +
                  (output ? " (an output lies in the type of the layer that reads it)" : "") +
                  (report.lift.size() == layers
                       ? ""
                       : "; --layer-precision " + std::to_string(l.layer) + "=" + std::string(name(l.precision))));
  }
}

void add_speeds(const Preflight& report, std::vector<std::string>& out) {
  for (const PreflightTrial& t : report.trials) {
    if (t.precision != Dtype::fp32 && t.speedup < 1) {
      out.push_back(std::string(name(t.precision)) +
                    " is slower than fp32 for this network here: " + short_number(t.speedup, 3) + " of its speed" +
                    (t.native ? "" : ", its numbers are converted before they are multiplied"));
    }
    if (t.skipped == 0 && learns_less(report.trials, t)) {
      out.push_back("with " + t.flags + " the mean loss of these steps is " + short_number(t.loss, 4) + ", and " +
                    short_number(report.trials.front().loss, 4) + " in fp32: rounding costs something here");
    }
    if (t.skipped > 0) {
      out.push_back(t.flags + " skipped " + std::to_string(t.skipped) + " of " + std::to_string(t.steps) + " steps");
    }
  }
}

}  // namespace

std::vector<std::string> preflight_findings(const Preflight& report, std::size_t layers) {
  std::vector<std::string> out;
  add_columns(report, out);
  if (!report.finite) return out;
  add_lifts(report, layers, out);
  add_scale(report, layers, out);
  add_speeds(report, out);
  return out;
}

}  // namespace halfstep::internal
