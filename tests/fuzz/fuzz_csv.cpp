// Separated text under any reading options (the first eight bytes), taken apart as training does: fitted on some rows,
// applied to all.
#include <initializer_list>

#include "data/csv.hpp"
#include "data/split.hpp"
#include "fuzz/support.hpp"
#include "fuzz/table_checks.hpp"

using namespace halfstep;

namespace {

using Choices = std::initializer_list<const char*>;

Options draw_options(fuzz::Draw& draw) {
  Options options;
  const auto set = [&](const char* name, Choices choices) { set_option(options, name, draw.of(choices)); };
  set("header", {"auto", "yes", "no"});
  set("missing", {"", "-999", "NA,none", "?,0", ".,-"});
  set("target", {"", "0", "1", "last", "y", "a", "c0"});
  set("task", {"auto", "classify", "regress"});
  set("categorical", {"", "0", "a", "c1,c0"});
  set("drop", {"", "0", "b", "c2", "1,2"});
  set("standardize", {"auto", "none"});
  set("seed", {"0", "1", "2", "3", "4", "5", "6", "7"});
  return options;
}

// A recipe is the same after it has been in a file.
void check_recipe(const data::Preprocessor& preprocessor) {
  const std::string text = preprocessor.to_json();
  data::Preprocessor again;
  const bool read = fuzz::succeeds([&] { again = data::Preprocessor::from_json(text); });
  fuzz::require(read, "a recipe that was made can be read", text);
  fuzz::require(again.to_json() == text, "a recipe is kept", text);
  fuzz::require(again.describe() == preprocessor.describe(), "a recipe is kept", text);
}

void check_preprocessing(const data::RawData& raw, const Options& options) {
  const data::Split split = data::split_rows(raw.rows(), 0.3, options.seed);
  const data::RawData train = data::take_rows(raw, split.train);
  data::Preprocessor preprocessor;
  if (!fuzz::succeeds([&] { preprocessor = data::Preprocessor::fit(train, options); })) return;
  check_recipe(preprocessor);
  fuzz::succeeds([&] { fuzz::check_examples(preprocessor, preprocessor.apply(raw, false), raw.rows()); });
  for (const auto* rows : {&split.train, &split.validation}) {
    if (rows->empty()) continue;
    fuzz::succeeds([&] {
      const data::Examples examples = preprocessor.apply(data::take_rows(raw, *rows), true);
      fuzz::require(examples.rows <= rows->size(), "no row is made");
      fuzz::check_examples(preprocessor, examples, examples.labels.size() + examples.targets.size());
    });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::Draw draw(bytes, size);
  const Options options = draw_options(draw);
  data::Table table;
  if (!fuzz::succeeds([&] { table = data::parse_csv(fuzz::source_of(draw.rest()), options); })) return 0;
  fuzz::check_table(table);
  check_preprocessing({"input", std::move(table)}, options);
  return 0;
}
