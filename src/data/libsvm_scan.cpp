#include "data/libsvm_scan.hpp"

#include <algorithm>
#include <charconv>

#include "data/text.hpp"

namespace halfstep::internal::data {

bool LibsvmLines::next() {
  while (!rest_.empty()) {
    ++line_;
    const std::size_t end = std::min(rest_.find_first_of("\r\n"), rest_.size());
    now_ = rest_.substr(0, end);
    now_ = now_.substr(0, now_.find('#'));
    const bool two = rest_.substr(end, 2) == "\r\n";
    rest_.remove_prefix(std::min(end + (two ? 2 : 1), rest_.size()));
    if (now_.find_first_not_of(" \t") != std::string_view::npos) return true;
  }
  return false;
}

std::string_view LibsvmLines::token() {
  now_.remove_prefix(std::min(now_.find_first_not_of(" \t"), now_.size()));
  const std::string_view text = now_.substr(0, now_.find_first_of(" \t"));
  now_.remove_prefix(text.size());
  return text;
}

PairProblem read_pair(std::string_view token, LibsvmPair& pair) {
  const std::size_t colon = token.find(':');
  if (colon == 0 || colon == std::string_view::npos) return PairProblem::shape;
  const char* const end = token.data() + colon;
  const auto result = std::from_chars(token.data(), end, pair.index);
  if (result.ptr != end) return PairProblem::shape;
  if (result.ec == std::errc::result_out_of_range) return PairProblem::index;
  if (result.ec != std::errc()) return PairProblem::shape;
  switch (parse_number(token.substr(colon + 1), pair.value)) {
    case CellKind::number:
      return PairProblem::none;
    case CellKind::not_finite:
      return PairProblem::infinite;
    case CellKind::text:
      break;
  }
  return PairProblem::number;
}

}  // namespace halfstep::internal::data
