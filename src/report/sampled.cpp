#include "report/sampled.hpp"

#include <algorithm>
#include <cmath>

namespace halfstep::internal::report {

double Sampled::Bucket::mean() const {
  return finite > 0 ? sum / static_cast<double>(finite) : std::numeric_limits<double>::quiet_NaN();
}

void Sampled::add(std::int64_t step, double value) {
  if (buckets_.empty() || buckets_.back().finite + buckets_.back().non_finite >= width_) {
    if (buckets_.size() == kMost) halve();
    buckets_.push_back({.first = step, .begin = value});
  }
  Bucket& bucket = buckets_.back();
  bucket.last = step;
  bucket.end = value;
  if (!std::isfinite(value)) {
    ++bucket.non_finite;
    return;
  }
  ++bucket.finite;
  bucket.sum += value;
  bucket.low = std::min(bucket.low, value);
  bucket.high = std::max(bucket.high, value);
}

void Sampled::halve() {
  for (std::size_t i = 0; i < kMost / 2; ++i) {
    const Bucket& a = buckets_[2 * i];
    const Bucket& b = buckets_[2 * i + 1];
    buckets_[i] = {.first = a.first,
                   .last = b.last,
                   .low = std::min(a.low, b.low),
                   .high = std::max(a.high, b.high),
                   .sum = a.sum + b.sum,
                   .begin = a.begin,
                   .end = b.end,
                   .finite = a.finite + b.finite,
                   .non_finite = a.non_finite + b.non_finite};
  }
  buckets_.resize(kMost / 2);
  width_ *= 2;
}

}  // namespace halfstep::internal::report
