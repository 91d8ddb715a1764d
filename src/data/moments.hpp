// Mean and deviation of a column.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace halfstep::internal::data {

struct Moments {
  double mean = 0;
  double scale = 0;  // standard deviation over n; 0: constant
  std::size_t count = 0;
};

// Of the values present among `rows`; safe for any finite values.
Moments moments(const std::vector<double>& numbers, const std::vector<std::uint32_t>& rows);

}  // namespace halfstep::internal::data
