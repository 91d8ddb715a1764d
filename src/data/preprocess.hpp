// Fits on training rows how raw columns become numbers, and does it again for any later rows.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "data/recipe.hpp"
#include "halfstep/options.hpp"

namespace halfstep::data {

class Preprocessor {
 public:
  // Uses options.target, task, drop, categorical and standardize. Throws Error(invalid_argument) where the options do
  // not suit the data, Error(format) for numbers that cannot be used, Error(limit) for too many categories.
  static Preprocessor fit(const RawData& raw, const Options& options);

  // Throws Error(format) when the columns or labels are not those of the training data. With `need_targets` rows whose
  // target is missing are left out; without, every row is kept and the target column may be absent.
  Examples apply(RawData raw, bool need_targets) const { return apply_recipe(recipe_, std::move(raw), need_targets); }

  std::size_t features() const { return count_features(recipe_); }
  Task task() const { return recipe_.task; }  // never automatic
  const std::vector<std::string>& classes() const { return recipe_.classes; }
  // target = standardised * target_scale + target_mean
  double target_mean() const { return recipe_.target_mean; }
  double target_scale() const { return recipe_.target_scale; }

  std::vector<std::string> notes() const { return notes_; }  // oddities seen by fit; empty after from_json
  std::string target_description() const { return recipe_.target_description; }
  std::vector<std::string> describe() const;  // one line per input column

  std::string to_json() const { return recipe_to_json(recipe_); }
  // Throws Error(format), and Error(unsupported) for a newer version.
  static Preprocessor from_json(std::string_view text);

 private:
  Recipe recipe_;
  std::vector<std::string> notes_;
};

}  // namespace halfstep::data
