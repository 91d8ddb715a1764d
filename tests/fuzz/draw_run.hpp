// Options and a table to train on, from the bytes of an input.
#pragma once
#include <string>
#include <vector>

#include "fuzz/support.hpp"
#include "halfstep/options.hpp"

namespace halfstep::fuzz {

// A small run. Choices that validate() refuses beside the earlier ones are left out.
Options draw_options(Draw& draw);

struct DrawnTable {
  char separator = ',';
  bool quoted = false;                            // every cell is: the records are then known
  std::vector<std::vector<std::string>> records;  // a header may be the first
  std::string text() const { return text_of(records); }
  std::string text_of(const std::vector<std::vector<std::string>>& some) const;
};

DrawnTable draw_table(Draw& draw);

}  // namespace halfstep::fuzz
