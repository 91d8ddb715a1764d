// Separated text under any reading options (the first eleven bytes), taken apart as training does: fitted on some rows,
// applied to all.
#include <initializer_list>

#include "data/csv.hpp"
#include "data/data.hpp"
#include "data/sniff_dialect.hpp"
#include "data/split.hpp"
#include "fuzz/support.hpp"
#include "fuzz/table_checks.hpp"

using namespace halfstep;
using namespace halfstep::internal;

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
  set("separator", {"auto", "comma", "semicolon", "blanks"});
  set("decimal", {"auto", "comma"});
  set("numeric", {"", "0", "a,c1"});
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

// The file that a model was fitted on, read by what the model knows: the same rows. Of a row without a target it need
// not know anything.
void check_reading_again(const data::Source& source, const data::RawData& raw, const Options& options) {
  data::Preprocessor preprocessor;
  bool whole = false;
  const bool fitted = fuzz::succeeds([&] {
    const data::TargetChoice target = data::choose_target(raw, options);
    whole = target.rows.size() == raw.rows();
    preprocessor = data::Preprocessor::fit(raw, target, options);
  });
  if (!fitted || !whole) return;
  // Where records do not agree, another separator may look better the second time.
  Options as_before;
  as_before.separator = data::separator_name(raw.table()->separator);
  data::Table again;
  if (!fuzz::succeeds([&] { again = data::parse_csv(source, as_before, &preprocessor.recipe()); })) return;
  fuzz::check_table(again);
  fuzz::require(again.rows == raw.rows(), "a model finds the rows of its own table");
  std::vector<std::string> notes;
  fuzz::succeeds([&] {
    const data::Examples examples = preprocessor.apply({"input", std::move(again)}, false, &notes);
    fuzz::check_examples(preprocessor, examples, raw.rows());
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::Draw draw(bytes, size);
  const Options options = draw_options(draw);
  const data::Source source = fuzz::source_of(draw.rest());
  data::Table table;
  if (!fuzz::succeeds([&] { table = data::parse_csv(source, options); })) return 0;
  fuzz::check_table(table);
  const data::RawData raw{"input", std::move(table)};
  check_reading_again(source, raw, options);
  check_preprocessing(raw, options);
  return 0;
}
