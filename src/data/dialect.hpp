// How a file of separated text is written.
#pragma once
#include <cstddef>

namespace halfstep::internal::data {

constexpr char kBlanks = ' ';  // the separator "any run of blanks and tabs"

struct Dialect {
  char separator = ',';
  std::size_t width = 1;  // fields of most records
  bool comments = false;  // lines that begin with '#' and do not have `width` fields are left out
};

}  // namespace halfstep::internal::data
