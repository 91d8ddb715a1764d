#include "cli/meter_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "cli/output.hpp"
#include "halfstep/text.hpp"

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

namespace {

// First and last power of two that any tensor has a value in, widened to a round number.
struct Powers {
  int first = 255, last = 0;
};
Powers powers_of(const MeterReport& report) {
  Powers p;
  for (const TensorMeter& m : report.tensors) {
    for (int i = 1; i < 255; ++i) {
      if (m.exponents[static_cast<std::size_t>(i)] == 0) continue;
      p.first = std::min(p.first, i);
      p.last = std::max(p.last, i);
    }
  }
  return p;
}

// Of one of 1 to 9, by the logarithm: what is rare is what matters.
char density(std::int64_t count, std::int64_t most) {
  constexpr std::string_view kRamp = " .:-=+*#%@";
  if (count == 0) return kRamp[0];
  const double share = std::log1p(static_cast<double>(count)) / std::log1p(static_cast<double>(most));
  return kRamp[1 + static_cast<std::size_t>(std::min(share, 1.0) * 8.999)];  // a column may hold several powers
}

}  // namespace

std::string exponents_text(const MeterReport& report) {
  constexpr int kWide = 64;
  const Powers p = powers_of(report);
  if (p.first > p.last) return {};
  const int each = (p.last - p.first) / kWide + 1;  // powers a column
  std::string text = "exponents  of magnitudes, from 2^" + std::to_string(p.first - 127) + " to 2^" +
                     std::to_string(p.last - 126) + ", " + (each == 1 ? "a power" : std::to_string(each) + " powers") +
                     " of two a column; | is where the storage type ends\n";
  for (const TensorMeter& m : report.tensors) {
    const int end = m.storage == Dtype::fp16 ? 127 + 16 : 255;
    std::int64_t most = 1;
    for (int i = 1; i < 255; ++i) most = std::max(most, m.exponents[static_cast<std::size_t>(i)]);
    std::string bars;
    for (int i = p.first; i <= p.last; i += each) {
      std::int64_t count = 0;
      for (int j = i; j < i + each && j < 255; ++j) count += m.exponents[static_cast<std::size_t>(j)];
      if (i - each < end && i >= end) bars += '|';
      bars += density(count, most);
    }
    char label[64];
    std::snprintf(label, sizeof label, "  %-28s ", printable(m.tensor).substr(0, 28).c_str());
    text += label + bars + "\n";
  }
  return text;
}

}  // namespace halfstep::cli
