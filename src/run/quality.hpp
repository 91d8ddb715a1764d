// What options.quality makes of a table's size: the parameters that nobody named.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "halfstep/options.hpp"

namespace halfstep::internal {

// What is to be learned from.
struct TableSize {
  std::size_t rows = 0;     // that are not held out for a test
  std::size_t columns = 0;  // that are inputs
  std::size_t outputs = 1;  // classes, or values
  bool classify = true;
};

// What quality "auto" stands for where a table is learned from.
std::string quality_of(const Options& options);

// Sets those parameters of `options` that are not given, and says in a few lines what was chosen and why. The
// same for tables of the same size, on every machine. Of quality "plain": nothing. The quality is then another than
// "auto".
std::vector<std::string> settle_quality(Options& options, const TableSize& size);

// Of quality "best" the settings that a bag of networks is to be chosen from, `settled` first; else these alone. They
// differ in what nobody gave, and not in what comes into the networks. `given`: before it was settled.
std::vector<Options> settings_to_try(const Options& given, const Options& settled);

}  // namespace halfstep::internal
