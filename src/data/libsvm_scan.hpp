// Cuts the lines of a LIBSVM file into label and pairs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace halfstep::internal::data {

// Lines end in LF, CRLF or CR. Those without a text before a '#' are left out.
class LibsvmLines {
 public:
  explicit LibsvmLines(std::string_view text) : rest_(text) {}

  bool next();  // false behind the last
  // The next text of the line between blanks; empty at its end.
  std::string_view token();
  std::uint32_t line() const { return line_; }  // from 1

 private:
  std::string_view rest_;
  std::string_view now_;  // of the line, without its comment
  std::uint32_t line_ = 0;
};

struct LibsvmPair {
  std::uint32_t index = 0;
  double value = 0;
};

enum class PairProblem { none, shape, index, number, infinite };

PairProblem read_pair(std::string_view token, LibsvmPair& pair);

}  // namespace halfstep::internal::data
