// Whether the first line of a table names its columns, and how they are called.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "data/csv_scan.hpp"
#include "data/recipe.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

struct Header {
  bool present = false;
  std::vector<std::string> names;    // one for each column
  std::vector<std::string> remarks;  // where a user could see it otherwise
};

// `start` stands before the first record, `first`. With `known` the model's table says what to expect: a first line of
// its names is a header, one that its columns can hold is a row.
Header read_header(const RecordScanner& start, const std::vector<std::string>& first, std::size_t width,
                   const Options& options, const Recipe* known);

}  // namespace halfstep::internal::data
