// Tables in separated text: comma, semicolon, tab, pipe or blanks.
#pragma once
#include "data/read_how.hpp"
#include "data/source.hpp"
#include "data/table.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

struct Recipe;
class InputFile;

// Uses options.header, missing, separator, decimal, target, categorical and numeric. With `known` the file is read by
// what that model's table was: its names, separator, missing tokens, and kinds of columns. Throws Error(format) naming
// file and line for anything malformed, and for a file without rows. The same table by any `how`.
Table parse_csv(const Source& source, const Options& options, const Recipe* known = nullptr, const ReadHow& how = {});

// The same of a file that is too large for memory: `head` is what it begins with, of which there is as much as what
// the file is can be seen by. The columns are in the table's store, in how.cache.folder.
Table stream_csv(const Source& head, const InputFile& file, const Options& options, const ReadHow& how);

}  // namespace halfstep::internal::data
