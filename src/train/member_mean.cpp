#include "train/member_mean.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace halfstep::internal {
namespace {

constexpr double kLeast = 1e-38;  // of a probability, whose logarithm stays a number

}  // namespace

MemberMean::MemberMean(const KernelTable& kernels, const OutputMeaning& meaning, std::size_t columns,
                       std::size_t members)
    : kernels_(kernels),
      classification_(meaning.classification),
      softmax_(meaning.softmax && !meaning.single_logit),
      temperature_(meaning.classification ? meaning.temperature : 1),
      columns_(columns),
      members_(members),
      member_(pad_columns(columns)),
      out_(pad_columns(columns)),
      sums_(columns),
      others_(columns) {}

const float* MemberMean::of(const float* logits, std::size_t ld) {
  if (passes_on()) return logits;
  if (members_ > 1) average(logits, ld);
  if (temperature_ != 1) divide(members_ > 1 ? out_.data() : logits);
  return out_.data();
}

// What was finite stays so, and the class that the logits speak for stays before the others: rounding may make equals
// of two that were not.
void MemberMean::divide(const float* logits) {
  constexpr double kMost = std::numeric_limits<float>::max();
  const std::size_t best = predicted_class(logits, columns_, columns_ == 1);
  for (std::size_t c = 0; c < columns_; ++c) {
    const double value = static_cast<double>(logits[c]) / temperature_;
    out_[c] = static_cast<float>(std::isfinite(logits[c]) ? std::clamp(value, -kMost, kMost) : value);
  }
  for (std::size_t c = 0; columns_ > 1 && c < best; ++c) {
    if (out_[c] == out_[best]) out_[c] = std::nextafter(out_[c], -std::numeric_limits<float>::max());
  }
}

void MemberMean::spread(const float* logits, std::size_t ld, double* out) const {
  for (std::size_t c = 0; c < columns_; ++c) {
    double mean = 0, squares = 0;
    for (std::size_t m = 0; m < members_; ++m) mean += static_cast<double>(logits[m * ld + m * columns_ + c]);
    mean /= static_cast<double>(members_);
    for (std::size_t m = 0; m < members_; ++m) {
      const double difference = static_cast<double>(logits[m * ld + m * columns_ + c]) - mean;
      squares += difference * difference;
    }
    out[c] = std::sqrt(squares / static_cast<double>(members_));
  }
}

void MemberMean::average(const float* logits, std::size_t ld) {
  std::fill(sums_.begin(), sums_.end(), 0.0);
  std::fill(others_.begin(), others_.end(), 0.0);
  bool finite = true;
  for (std::size_t m = 0; m < members_; ++m) {
    const float* const member = logits + m * ld + m * columns_;
    finite = finite && is_finite_output(member, columns_);
    if (classification_) {
      add_probabilities(member);
    } else {
      for (std::size_t c = 0; c < columns_; ++c) sums_[c] += static_cast<double>(member[c]);
    }
  }
  for (std::size_t c = 0; c < columns_; ++c) {
    out_[c] = finite ? logit(c) : std::numeric_limits<float>::quiet_NaN();
  }
}

void MemberMean::add_probabilities(const float* logits) {
  if (softmax_) {
    std::copy_n(logits, columns_, member_.data());
    kernels_.softmax(columns_, member_.data(), member_.data());
    for (std::size_t c = 0; c < columns_; ++c) sums_[c] += static_cast<double>(member_[c]);
    return;
  }
  for (std::size_t c = 0; c < columns_; ++c) {
    const auto z = static_cast<double>(logits[c]);
    sums_[c] += 1 / (1 + std::exp(-z));
    others_[c] += 1 / (1 + std::exp(z));
  }
}

float MemberMean::logit(std::size_t column) const {
  const auto count = static_cast<double>(members_);
  const double mean = sums_[column] / count;
  if (!classification_) return static_cast<float>(mean);
  if (softmax_) return static_cast<float>(std::log(std::max(mean, kLeast)));
  return static_cast<float>(std::log(std::max(mean, kLeast)) - std::log(std::max(others_[column] / count, kLeast)));
}

}  // namespace halfstep::internal
