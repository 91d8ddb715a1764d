// Which categories of a column are worth a vector of their own.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace halfstep::internal::data {

// What is to be predicted, row by row: classes, or the values of each target.
struct TargetOfRows {
  std::vector<std::uint32_t> classes;
  std::vector<std::vector<double>> values;
};

// From how many rows on a category is told apart; those with fewer share a vector. `code_of`: the category of each row,
// `categories` or more where it has none. A few categories are told apart whatever they have.
//
// The mean of n rows tells more of its category than the mean of all does where n exceeds the variance within
// categories over that between them, both by the analysis of variance of a random effect (Searle, Casella and
// McCulloch, 1992, "Variance Components"). Of several targets that counts which tells most.
std::size_t rows_to_tell_apart(const std::vector<std::uint32_t>& code_of, std::size_t categories,
                               const TargetOfRows& target);

}  // namespace halfstep::internal::data
