// Fits on training rows how raw columns become numbers, and does it again for any later rows.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/recipe.hpp"
#include "data/target.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

class Preprocessor {
 public:
  Preprocessor() = default;
  explicit Preprocessor(Recipe recipe) : recipe_(std::move(recipe)) {}

  // Fits on the training rows `raw`, for a target chosen from all rows. Uses options.target, task, drop, categorical,
  // numeric, missing and standardize. Throws Error(invalid_argument) where the options do
  // not suit the data, Error(format) for numbers that cannot be used, Error(limit) for too many categories.
  static Preprocessor fit(const RawData& raw, const TargetChoice& target, const Options& options);
  // Where all rows are for training.
  static Preprocessor fit(const RawData& raw, const Options& options);

  // Throws Error(format) when the columns or labels are not those of the training data. With `need_targets` rows whose
  // target is missing are left out; without, every row is kept and the target column may be absent. `notes` gets what
  // is not as it was in training: columns, categories, missing values, ranges.
  Examples apply(RawData raw, bool need_targets, std::vector<std::string>* notes = nullptr) const {
    return apply_recipe(recipe_, std::move(raw), need_targets, notes);
  }
  // What reading a file by this model's table needs.
  const Recipe& recipe() const { return recipe_; }

  std::size_t features() const { return count_features(recipe_); }
  Task task() const { return recipe_.task; }  // never automatic
  const std::vector<std::string>& classes() const { return recipe_.classes; }
  // Of a regression one for each output: target = standardised * scale + mean.
  const std::vector<TargetColumn>& targets() const { return recipe_.targets; }
  // Of rows from memory, whose file does not say how many values a row has.
  void set_outputs(std::size_t outputs) { recipe_.targets.resize(outputs, recipe_.targets.front()); }

  std::vector<std::string> notes() const { return notes_; }  // oddities seen by fit; empty after from_json
  std::string target_description() const { return recipe_.target_description; }
  std::vector<std::string> describe() const;  // how a table is read, and one line per input column

  std::string to_json() const { return recipe_to_json(recipe_); }
  // Throws Error(format), and Error(unsupported) for a newer version.
  static Preprocessor from_json(std::string_view text);

 private:
  Recipe recipe_;
  std::vector<std::string> notes_;
};

}  // namespace halfstep::internal::data
