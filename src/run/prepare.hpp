// From a path to rows that a model can train on.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "data/examples.hpp"
#include "data/preprocess.hpp"
#include "data/raw_data.hpp"
#include "data/read_how.hpp"
#include "data/split.hpp"
#include "data/target.hpp"
#include "halfstep/options.hpp"
#include "run/row_numbers.hpp"

namespace halfstep::internal {

struct Prepared {
  data::Preprocessor preprocessor;
  data::Examples train;
  data::Examples validation;   // held out of the file: without rows where nothing is
  data::Examples test;         // a set of its own: without rows where there is none
  RowNumbers train_rows;       // where they are in their file
  RowNumbers validation_rows;  // where these two are in their files, for a report
  RowNumbers test_rows;
  std::string split;               // how the rows were divided, in words
  std::size_t rows = 0;            // of the file
  bool same_outputs = false;       // as those of the model whose inputs were taken
  std::vector<std::string> notes;  // what a user could regret
  std::vector<std::string> reads;  // how fast each file was read
};

// What a file gives, before its rows are divided.
struct Source {
  // Throws Error of reading, and invalid_argument where no training is possible.
  // With `inputs_of` the inputs are those of another model's recipe, which must outlive it.
  Source(const std::string& path, const Options& options, const data::ReadHow& how,
         const data::Recipe* inputs_of = nullptr);
  data::RawData take(const std::vector<std::uint32_t>& rows) const;  // none: without rows

  // What options.quality asks for, if this is a table that no other model has the inputs of: the parameters of
  // `options` that follow from its size, which the source then has too. What was chosen is among its notes.
  void settle(Options& options);

  data::DataPair pair;
  data::TargetChoice target;
  std::vector<float> weights;  // of each row; empty: all alike
  Options inputs;              // without the columns that say something about rows
  std::size_t rows;
  const data::Recipe* inputs_of;
  std::vector<std::string> notes, reads;
};

// Fits on `train`, the rows split.train of the source, and prepares them and those held out, split.validation.
Prepared prepare_parts(const Source& source, data::RawData train, const data::Split& split, data::RawData held_out);

// The share of rows that a run holds out of its file.
double held_out_share(const Options& options, bool tested);
// Whether a run goes by rows held out, which are then no judge of it.
bool steers_by_held_out(const Options& options);

// Reads what options.test names, and holds rows out. Throws Error: of reading, and invalid_argument where no training
// is possible.
Prepared prepare(Source source, const Options& options, const data::ReadHow& how = {});
Prepared prepare(const std::string& path, const Options& options, const data::ReadHow& how = {},
                 const data::Recipe* inputs_of = nullptr);

}  // namespace halfstep::internal
