// Everything needed to turn raw rows into numbers again, long after training: plain data behind Preprocessor.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/data.hpp"
#include "data/examples.hpp"
#include "halfstep/types.hpp"

namespace halfstep::data {

constexpr std::size_t kMaxCategories = 1000;  // of one column, and classes of a target

struct InputColumn {
  enum class Kind : std::uint8_t { number, categories, dropped };
  std::string name;
  std::size_t index = 0;  // in the training file
  Kind kind = Kind::number;
  double mean = 0;                      // also stands in for a missing number
  double scale = 0;                     // standard deviation; 0: constant, nothing to learn from
  std::vector<std::string> categories;  // one feature each
  bool missing_category = false;        // one more feature, for "missing"

  std::size_t width() const {
    return kind == Kind::number ? 1 : kind == Kind::dropped ? 0 : categories.size() + (missing_category ? 1 : 0);
  }
};

struct Recipe {
  bool standardize = true;
  bool is_matrix = false;
  // Matrix: one mean and scale for all values.
  std::size_t matrix_cols = 0;
  double matrix_mean = 0;
  double matrix_scale = 1;
  // Table: all columns but the target, in the order of the file.
  bool has_header = false;
  std::vector<InputColumn> columns;
  std::string target;
  std::size_t target_index = 0;
  // Both.
  Task task = Task::classify;
  std::vector<std::string> classes;
  double target_mean = 0;
  double target_scale = 1;
  std::string target_description;
};

// A column seen as categories: distinct canonical texts, and the place in them of every row.
struct Categories {
  std::vector<std::string> texts;
  std::vector<std::uint32_t> codes;  // kMissingCode where missing
};
Categories as_categories(const Column& column);

// Throws Error(format) unless the column is numeric: what keeps it from being so, with its line.
void require_numbers(const Column& column, std::size_t index, const Table& table, const std::string& source);

std::size_t count_features(const Recipe& recipe);
Recipe fit_recipe(const RawData& raw, const Options& options, std::vector<std::string>& notes);
Examples apply_recipe(const Recipe& recipe, RawData raw, bool need_targets);
std::string recipe_to_json(const Recipe& recipe);
Recipe recipe_from_json(std::string_view text);

}  // namespace halfstep::data
