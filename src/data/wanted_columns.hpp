// As what each column of a file is to be read.
#pragma once
#include <string>
#include <vector>

#include "data/column_builder.hpp"
#include "data/column_kind.hpp"
#include "data/recipe.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

// What is wanted of each column of the file.
struct Wanted {
  ColumnRules rules;
  KeepTexts keep_texts = KeepTexts::no;
  std::vector<std::string> missing = {};  // tokens of this column alone
};

// By the options of a run that is to be fitted.
std::vector<Wanted> wanted_by_options(const std::vector<std::string>& names, const Options& options);

// By what a model knows; `header`: the file has names.
std::vector<Wanted> wanted_by_knowledge(const std::vector<std::string>& names, bool header, const Recipe& known);

}  // namespace halfstep::internal::data
