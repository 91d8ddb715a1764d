#include "cli/lists.hpp"

#include <charconv>

#include "halfstep/error.hpp"

namespace halfstep::cli {

void refuse(std::string what, std::string where, std::string hint) {
  throw Error(Status::invalid_argument,
              {.what = std::move(what), .where = std::move(where), .why = {}, .kept = {}, .hint = std::move(hint)});
}

std::vector<std::string> items(const Args& args, std::string_view flag, std::string_view otherwise) {
  std::vector<std::string> out;
  std::string_view rest = flag_value(args, flag);
  if (rest.empty()) rest = otherwise;
  while (true) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (comma == 0) refuse("an empty item in a list", "--" + std::string(flag), {});
    out.emplace_back(rest.substr(0, comma));
    if (comma == rest.size()) return out;
    rest.remove_prefix(comma + 1);
  }
}

std::size_t number(const std::string& item, std::string_view flag, std::size_t most) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), value);
  if (error != std::errc() || end != item.data() + item.size() || value < 1 || value > most) {
    refuse("'" + item + "' is not a whole number from 1 to " + std::to_string(most), "--" + std::string(flag), {});
  }
  return value;
}

double share(const std::string& item, std::string_view flag) {
  double value = 0;
  const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), value);
  if (error != std::errc() || end != item.data() + item.size() || !(value > 0 && value < 1)) {
    refuse("'" + item + "' is not more than 0 and less than 1", "--" + std::string(flag), {});
  }
  return value;
}

std::vector<std::size_t> numbers(const Args& args, std::string_view flag, std::size_t most,
                                 std::string_view otherwise) {
  std::vector<std::size_t> out;
  for (const std::string& item : items(args, flag, otherwise)) out.push_back(number(item, flag, most));
  return out;
}

bool is_second(const Args& args, std::string_view flag, std::string_view first, std::string_view second) {
  const std::string& value = flag_value(args, flag);
  if (value != first && value != second) {
    refuse("unknown name '" + value + "'", "--" + std::string(flag), std::string(first) + ", " + std::string(second));
  }
  return value == second;
}

std::vector<std::string> isa_names(const Args& args, std::string_view otherwise) {
  std::vector<std::string> names = items(args, "isa", otherwise);
  if (std::find(names.begin(), names.end(), "all") != names.end()) names.clear();
  return names;
}

std::vector<int> thread_counts(const Args& args) {
  std::vector<int> counts;
  for (const std::size_t threads : numbers(args, "threads", 1024)) counts.push_back(static_cast<int>(threads));
  return counts;
}

}  // namespace halfstep::cli
