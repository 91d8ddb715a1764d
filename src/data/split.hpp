// Which rows are held out, and in which order the others are seen. Both depend on nothing but their arguments.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace halfstep::internal::data {

struct Split {
  std::vector<std::uint32_t> train;       // ascending
  std::vector<std::uint32_t> validation;  // ascending
};

// Holds out the share `validation` of the rows, rounded: at least one row when the share is above 0, and never all.
Split split_rows(std::size_t rows, double validation, std::uint64_t seed);

// No run has so many epochs: the order in which rows and groups are held out.
inline constexpr std::uint64_t kHoldOutEpoch = (std::uint64_t{1} << 24) - 1;

// The rows 0 .. rows-1, shuffled for this epoch.
std::vector<std::uint32_t> epoch_order(std::size_t rows, std::uint64_t seed, std::uint64_t epoch);

}  // namespace halfstep::internal::data
