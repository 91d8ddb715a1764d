// Everything needed to turn raw rows into numbers again, long after training: plain data behind Preprocessor.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "data/columns.hpp"
#include "data/examples.hpp"
#include "data/raw_data.hpp"
#include "data/time_stamp.hpp"
#include "halfstep/options.hpp"
#include "halfstep/types.hpp"

namespace halfstep::internal::data {

constexpr std::size_t kMaxCategories = 1000;  // of one column, and classes of a target

constexpr std::size_t kMaxCodes = 100000;  // of one column that is embedded

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct InputColumn {
  enum class Kind : std::uint8_t { number, categories, dropped };
  std::string name;
  std::size_t index = 0;  // in the training file
  Kind kind = Kind::number;
  double mean = 0;                            // also stands in for a missing number
  double scale = 0;                           // standard deviation; 0: constant, nothing to learn from
  double low = -kInfinity, high = kInfinity;  // of the training rows; infinite where a model does not say
  bool missing_seen = true;                   // training had missing values
  std::string unit;                           // left out of numbers
  std::vector<std::string> missing_tokens;    // words that stood for missing numbers, beside those that always do
  std::vector<std::string> categories;        // one feature each
  bool missing_category = false;              // one more feature, for "missing"
  // The column is embedded (ColumnEmbedding): a number is its value and its place among the knots, `mean` is the median
  // and `scale` follows from the quartiles; a category is its place in `categories`, behind which stand a code for
  // those that are rare or were never seen, and one for missing ones.
  bool embedded = false;
  std::vector<double> knots;  // increasing
  // A column of times is several of these, one behind another, each of a number of the time: of the same name and
  // index.
  TimePart time = TimePart::none;
  DateOrder order = DateOrder::ymd;  // of such a column

  // For people: "when", "when (hour)".
  std::string title() const;
  std::size_t codes() const { return categories.size() + 2; }
  std::size_t width() const {
    if (embedded) return kind == Kind::number ? 2 : 1;
    return kind == Kind::number ? 1 : kind == Kind::dropped ? 0 : categories.size() + (missing_category ? 1 : 0);
  }
};

// A column that is to be predicted.
struct TargetColumn {
  std::string name;
  std::size_t index = 0;  // in the training file
  double mean = 0;        // of the training rows, where it is a number
  double scale = 1;       // standard deviation, never 0
};

struct TargetChoice;

struct Recipe {
  bool standardize = true;
  bool is_matrix = false;
  // Matrix: one mean and scale for all values.
  std::size_t matrix_cols = 0;
  double matrix_mean = 0;
  double matrix_scale = 1;
  // Table: all columns but the targets, in the order of the file.
  bool has_header = false;
  char separator = ',';
  bool decimal_comma = false;
  std::vector<std::string> missing;  // tokens that the user named
  std::vector<InputColumn> columns;
  // Sparse features, from a LIBSVM file: no columns, but a mean and a scale (0: constant) for each index.
  bool is_sparse = false;
  bool zero_based = false;
  std::vector<double> sparse_means, sparse_scales;
  // All: one target, or for a regression one for each output, in the order in which the user named them.
  std::vector<TargetColumn> targets = std::vector<TargetColumn>(1);
  Task task = Task::classify;
  std::vector<std::string> classes;
  std::string target_description;

  bool is_target(std::string_view name) const;
  // Columns of the table without the targets, and with them.
  std::size_t inputs_width() const;
  std::size_t table_width() const { return inputs_width() + targets.size(); }
  // Whether the input is a further number of the column that the one before it is of.
  bool continues(std::size_t input) const { return input > 0 && columns[input].index == columns[input - 1].index; }
  // Where column `index` of the table stands in one that has no targets.
  std::size_t index_without_targets(std::size_t index) const;
};

std::size_t count_features(const Recipe& recipe);
// Statistics and vocabularies of the training rows `raw`, for the target that was chosen from all rows.
Recipe fit_recipe(const RawData& raw, const TargetChoice& target, const Options& options,
                  std::vector<std::string>& notes);
// With `notes`, says what is not as it was in training.
Examples apply_recipe(const Recipe& recipe, RawData raw, bool need_targets, std::vector<std::string>* notes = nullptr);
std::string recipe_to_json(const Recipe& recipe);
Recipe recipe_from_json(std::string_view text);

}  // namespace halfstep::internal::data
