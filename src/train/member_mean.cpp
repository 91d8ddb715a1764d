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
      columns_(columns),
      members_(members),
      member_(pad_columns(columns)),
      out_(pad_columns(columns)),
      sums_(columns),
      others_(columns) {}

const float* MemberMean::of(const float* logits, std::size_t ld) {
  if (members_ == 1) return logits;
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
  return out_.data();
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
