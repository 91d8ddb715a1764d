// A value of each step of a run, in a space that does not grow with the run.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace halfstep::internal::report {

class Sampled {
 public:
  // What is left of some neighbouring steps.
  struct Bucket {
    std::int64_t first = 0, last = 0;
    double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
    double sum = 0;
    double begin = 0, end = 0;  // values of the first and the last step
    std::int64_t finite = 0, non_finite = 0;

    double mean() const;  // NaN where no value is finite
  };

  // In the order of the steps.
  void add(std::int64_t step, double value);

  // At most kMost, of equal width but the last.
  const std::vector<Bucket>& buckets() const { return buckets_; }
  static constexpr std::size_t kMost = 256;
  std::int64_t width() const { return width_; }
  // Goes on with what another had, of at most kMost buckets.
  void restore(std::vector<Bucket> buckets, std::int64_t width) {
    buckets_ = std::move(buckets);
    width_ = width;
  }

 private:
  void halve();

  std::vector<Bucket> buckets_;
  std::int64_t width_ = 1;  // steps of a full bucket
};

}  // namespace halfstep::internal::report
