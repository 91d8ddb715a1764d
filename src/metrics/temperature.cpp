#include "metrics/temperature.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "metrics/softplus.hpp"

namespace halfstep::internal {
namespace {

// Deviations of 1 / temperature, before any row.
constexpr double kPrior = 0.25, kPriorOfEpoch = 0.125;
constexpr double kLeast = 0.05, kMost = 20;
constexpr int kSteps = 100;

// Of the loss of one row at b: its value, and its first two derivatives by b.
struct AtB {
  double value = 0, slope = 0, curvature = 0;
};

AtB of_softmax(const float* z, std::size_t columns, std::size_t label, double b) {
  const double own = static_cast<double>(z[label]);
  const double most = static_cast<double>(*std::max_element(z, z + columns));
  double sum = 0, first = 0, second = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    const double difference = static_cast<double>(z[c]) - most;
    const double p = std::exp(b * difference);
    sum += p;
    first += p * difference;
    second += p * difference * difference;
  }
  first /= sum;
  return {std::log(sum) + b * (most - own), first + (most - own), second / sum - first * first};
}

AtB of_logistic(double z, bool is_it, double b) {
  const double sign = is_it ? -1 : 1;  // the loss is softplus(sign * b * z)
  const double p = 1 / (1 + std::exp(-sign * b * z));
  return {softplus(sign * b * z), sign * z * p, z * z * p * (1 - p)};
}

AtB of_row(const SaidOfRows& said, const OutputMeaning& meaning, std::size_t row, double b) {
  const float* const z = said.logits.data() + row * said.columns;
  const auto label = static_cast<std::size_t>(said.labels[row]);
  if (meaning.single_logit) return of_logistic(static_cast<double>(z[0]), label == 1, b);
  if (meaning.softmax) return of_softmax(z, said.columns, label, b);
  AtB sum;
  for (std::size_t c = 0; c < said.columns; ++c) {
    const AtB one = of_logistic(static_cast<double>(z[c]), c == label, b);
    sum = {sum.value + one.value, sum.slope + one.slope, sum.curvature + one.curvature};
  }
  return sum;
}

// Over the rows, their weights 1 in the mean.
AtB of_rows(const SaidOfRows& said, const OutputMeaning& meaning, double b) {
  double weights = 0;
  for (const double w : said.weights) weights += w;
  const double unit = static_cast<double>(said.weights.size()) / weights;
  AtB sum;
  for (std::size_t i = 0; i < said.labels.size(); ++i) {
    if (said.weights[i] == 0) continue;
    const AtB one = of_row(said, meaning, i, b);
    const double w = said.weights[i] * unit;
    sum = {sum.value + w * one.value, sum.slope + w * one.slope, sum.curvature + w * one.curvature};
  }
  return sum;
}

double four_digits(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific, 3).ptr;
  std::from_chars(text, end, value);
  return value;
}

// b with the least loss, `prior` the deviation from 1 that is expected of it.
double fit(const SaidOfRows& said, const OutputMeaning& meaning, double prior) {
  // Newton's steps, kept between those ends where the slope has its two signs.
  double low = kLeast, high = kMost, b = 1;
  for (int step = 0; step < kSteps && high - low > 1e-9 * high; ++step) {
    const AtB at = of_rows(said, meaning, b);
    const double slope = at.slope + (b - 1) / (prior * prior);
    (slope > 0 ? high : low) = b;
    const double next = b - slope / (at.curvature + 1 / (prior * prior));
    const double before = b;
    b = next > low && next < high ? next : (low + high) / 2;
    if (std::fabs(b - before) < 1e-9 * b) break;
  }
  return b;
}

bool can_fit(const SaidOfRows& said) {
  const auto finite = [](float logit) { return std::isfinite(logit); };
  const bool counts = std::any_of(said.weights.begin(), said.weights.end(), [](double w) { return w > 0; });
  return counts && std::all_of(said.logits.begin(), said.logits.end(), finite);
}

}  // namespace

double loss_at(const SaidOfRows& said, const OutputMeaning& meaning, double temperature) {
  return of_rows(said, meaning, 1 / temperature).value / static_cast<double>(said.labels.size());
}

double fit_temperature(const SaidOfRows& said, const OutputMeaning& meaning) {
  return can_fit(said) ? four_digits(1 / fit(said, meaning, kPrior)) : 1;
}

double calibrated_loss(const SaidOfRows& said, const OutputMeaning& meaning) {
  if (!can_fit(said)) return std::numeric_limits<double>::quiet_NaN();
  const double b = fit(said, meaning, kPriorOfEpoch);
  const double hold = (b - 1) * (b - 1) / (2 * kPriorOfEpoch * kPriorOfEpoch);
  return (of_rows(said, meaning, b).value + hold) / static_cast<double>(said.labels.size());
}

}  // namespace halfstep::internal
