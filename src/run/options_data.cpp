// Parameters of the machine and of the data.
#include "run/options_entries.hpp"

namespace halfstep::internal::options {

std::vector<Entry> data_entries() {
  using O = Options;
  return {
      integer("threads", 0, 1000000, ">= 0; 0: all this process may use", "worker threads", &O::threads),
      text("isa", "compiled ISA to run, or auto for the best this CPU has", &O::isa),
      choice("math", "same bits on every ISA, or also instructions that round otherwise", &O::math),
      {"seed", "integer", "0 to 2^64-1", "start of the random numbers of split, initialisation and order",
       [](Options& o, Name v) { o.seed = parse_unsigned("seed", v); },
       [](const Options& o) { return std::to_string(o.seed); }},
      text("test", "test set, measured after every epoch", &O::test),
      number("validation", ">= 0 and < 1; 0: 0.1 where there is no test set", fraction,
             "share of the rows held out to measure on", &O::validation),
      choice("format", "auto|csv|libsvm|npy|npz|idx", "of data files; auto: by name, or by what they begin with",
             &O::format),
      text("target", "column to predict: name, index from 0, or last (the default); a,b for several numbers",
           &O::target),
      choice("task", "what to do with the target", &O::task),
      choice("split", "random|stratified|ordered",
             "which rows are held out: any, of each class its share, or the last of the file", &O::split),
      text("group", "column whose equal values stay together on one side of the split; no input then", &O::group),
      text("weights", "column of numbers >= 0: how much a row counts in the loss; no input then", &O::weights),
      list("drop", "columns to leave out", &O::drop),
      list("categorical", "columns that are categories, whatever they look like", &O::categorical),
      list("numeric", "columns that are numbers; a text in them is a missing value", &O::numeric),
      choice("header", "auto|yes|no", "whether the first line names the columns", &O::header),
      text("separator", "between fields: auto, comma, semicolon, tab, pipe, blanks, or a sign", &O::separator),
      choice("decimal", "auto|point|comma", "decimal sign of numbers with commas", &O::decimal),
      list("missing", "tokens that mean a missing value; empty: the usual ones", &O::missing),
      choice("standardize", "auto|none", "bring input columns to mean 0 and standard deviation 1", &O::standardize),
      text("labels", "labels of images or of the rows of an array: an IDX or NPY file, or an array in the NPZ archive",
           &O::labels),
      text("cache",
           "folder by way of which a CSV goes that is too large for memory: auto (beside --out, where it is needed), "
           "none, "
           "or a folder (always)",
           &O::cache),
  };
}

}  // namespace halfstep::internal::options
