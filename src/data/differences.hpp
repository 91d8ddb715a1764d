// What is told of data that is not as a model's training data was.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/recipe.hpp"

namespace halfstep::internal::data {

// Where notes go; a null pointer where nobody asks.
using Notes = std::vector<std::string>*;
void note(Notes notes, std::string text);

// "1 row", "3 rows"
std::string count_text(std::size_t count, const std::string& one);

// Counts of what training did not see, over all columns: a note for each kind.
struct Differences {
  std::vector<std::string> missing, beyond, unseen, rare, units, no_times;
  void tell(Notes notes) const;
};

// Numbers of one column beyond the range of training, missing where it had none, of another unit.
void compare_numbers(const InputColumn& input, const Column& column, const std::vector<double>& numbers,
                     const std::vector<std::uint32_t>& rows, Differences& differences);

}  // namespace halfstep::internal::data
