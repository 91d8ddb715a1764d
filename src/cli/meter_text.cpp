#include "cli/meter_text.hpp"

#include <cstdio>

#include "cli/output.hpp"

namespace halfstep::cli {
namespace {

std::string percent(std::int64_t part, std::int64_t whole) {
  if (part == 0) return "-";
  char text[32];
  const double share = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  std::snprintf(text, sizeof(text), share < 0.01 ? "<0.01 %%" : "%.2f %%", share);
  return text;
}

// "2^-20 .. 2^3" of the magnitudes that are neither zero nor infinite, and how many are infinite or NaN.
std::string magnitudes(const TensorMeter& m) {
  int first = 1, last = 254;
  while (first <= 254 && m.exponents[static_cast<std::size_t>(first)] == 0) ++first;
  while (last > first && m.exponents[static_cast<std::size_t>(last)] == 0) --last;
  const std::string rest = m.non_finite == 0 ? "" : ", " + std::to_string(m.non_finite) + " not finite";
  if (first > 254) return "none" + rest;
  return "2^" + std::to_string(first - 127) + " .. 2^" + std::to_string(last - 126) + rest;
}

}  // namespace

std::string meter_text(const MeterReport& report) {
  char line[160];
  std::string text = "meter      step " + std::to_string(report.step) + ", loss scale " + brief(report.loss_scale) +
                     (report.applied ? "" : ", skipped") + "\n";
  std::snprintf(line, sizeof(line), "  %-28s %-7s %8s %9s %9s   %s\n", "values before rounding", "storage", "to zero",
                "subnormal", "to inf", "magnitudes");
  text += line;
  for (const TensorMeter& m : report.tensors) {
    std::snprintf(line, sizeof(line), "  %-28s %-7s %8s %9s %9s   %s\n", m.tensor.c_str(), name(m.storage).data(),
                  percent(m.flushed, m.elements).c_str(), percent(m.subnormal, m.elements).c_str(),
                  percent(m.saturated, m.elements).c_str(), magnitudes(m).c_str());
    text += line;
  }
  for (const UpdateMeter& m : report.updates) {
    text += "  " + m.tensor + ": the update left " + (m.unchanged == 0 ? "none" : percent(m.unchanged, m.weights)) +
            " of the " + std::string(name(m.storage)) + " weights as they were\n";
  }
  return text;
}

}  // namespace halfstep::cli
