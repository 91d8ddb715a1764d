// What is to be predicted: which column, as what, and from which rows.
#pragma once
#include <string>
#include <vector>

#include "data/recipe.hpp"

namespace halfstep::data {

// Chooses the target column and task of a table, fills the target part of `recipe` and returns the rows that have a
// target. Throws Error(invalid_argument) where no training is possible, saying why.
std::vector<std::uint32_t> fit_target(const RawData& raw, const Options& options, Recipe& recipe,
                                      std::vector<std::string>& notes);

// Classes of a matrix from its labels.
void fit_labels(const RawData& raw, const Options& options, Recipe& recipe);

std::vector<std::string> column_names(const Table& table);

// Position of a column the user names. Throws Error(invalid_argument) with the nearest name as a hint.
std::size_t resolve_column(const Table& table, const std::string& key, const std::string& parameter);

struct Moments {
  double mean = 0;
  double scale = 0;  // standard deviation over n; 0: constant
  std::size_t count = 0;
};

// Of the values present among `rows`; safe for any finite values.
Moments moments(const std::vector<double>& numbers, const std::vector<std::uint32_t>& rows);

}  // namespace halfstep::data
