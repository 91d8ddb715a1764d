// Where rows stand in their file, for people who want to look at them.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/raw_data.hpp"

namespace halfstep::internal {

struct RowNumbers {
  std::vector<std::uint32_t> numbers;  // of each row that was kept, from 1
  bool lines = false;                  // of a text file; else rows

  // "line 17", "row 3"; of a set whose places are not known, the row in that set.
  std::string text(std::size_t row) const;
};

// Of those rows of `raw` that have all targets, where `targets` are the names of their columns. `chosen`: the rows of
// the file that `raw` is made of; empty: all.
RowNumbers row_numbers(const data::RawData& raw, const std::vector<std::string>& targets,
                       std::span<const std::uint32_t> chosen);

}  // namespace halfstep::internal
