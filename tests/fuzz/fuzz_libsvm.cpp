// LIBSVM under any reading options (the first two bytes): fitted, kept as JSON, read again by what the model knows.
#include "data/libsvm.hpp"

#include "data/data.hpp"
#include "data/split.hpp"
#include "fuzz/support.hpp"
#include "fuzz/table_checks.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

bool same(const data::Examples& a, const data::Examples& b) {
  return a.x == b.x && a.usual == b.usual && a.sparse.offsets == b.sparse.offsets &&
         a.sparse.columns == b.sparse.columns && a.sparse.values == b.sparse.values;
}

void check_reading_again(const data::Source& source, const data::RawData& raw, const data::Preprocessor& preprocessor) {
  data::Table again;
  const bool read = fuzz::succeeds([&] { again = data::parse_libsvm(source, {}, &preprocessor.recipe()); });
  fuzz::require(read, "a model reads the file that it was trained on");
  fuzz::check_table(again);
  fuzz::require(again.rows == raw.rows(), "a model finds the rows of its own file");
  const data::Examples before = preprocessor.apply(raw, false);
  const data::Examples after = preprocessor.apply({"input", std::move(again)}, false);
  fuzz::check_examples(preprocessor, before, raw.rows());
  fuzz::require(same(before, after), "a model sees the same features again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::Draw draw(bytes, size);
  Options options;
  set_option(options, "task", draw.of({"auto", "classify", "regress"}));
  set_option(options, "standardize", draw.of({"auto", "none"}));
  const data::Source source = fuzz::source_of(draw.rest());
  data::looks_like_libsvm(source.text());
  data::Table table;
  if (!fuzz::succeeds([&] { table = data::parse_libsvm(source, options); })) return 0;
  fuzz::check_table(table);
  // Wide ones take their time; a part of them is enough.
  if (table.sparse_width > 2000 && size % 16 != 0) return 0;
  const data::RawData raw{"input", std::move(table)};
  const data::Split split = data::split_rows(raw.rows(), 0.3, 1);
  fuzz::check_table(*data::take_rows(raw, split.train).table());
  data::Preprocessor fitted;
  if (!fuzz::succeeds([&] { fitted = data::Preprocessor::fit(raw, options); })) return 0;
  const std::string text = fitted.to_json();
  const data::Preprocessor preprocessor = data::Preprocessor::from_json(text);
  fuzz::require(preprocessor.to_json() == text, "a recipe is kept");
  check_reading_again(source, raw, preprocessor);
  fuzz::succeeds([&] {
    const data::Examples examples = preprocessor.apply(raw, true);
    fuzz::check_examples(preprocessor, examples, examples.labels.size() + examples.targets.size());
  });
  return 0;
}
