// Flags of a command that hold lists, separated by commas.
#pragma once
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/args.hpp"
#include "halfstep/enum_names.hpp"

namespace halfstep::cli {

// Throws Error(invalid_argument).
[[noreturn]] void refuse(std::string what, std::string where, std::string hint);

// Of `otherwise` where the flag was not given and has no default of its own.
std::vector<std::string> items(const Args& args, std::string_view flag, std::string_view otherwise = {});

// Whole numbers from 1 to `most`.
std::size_t number(const std::string& item, std::string_view flag, std::size_t most);
// A number between 0 and 1, neither of them included.
double share(const std::string& item, std::string_view flag);
std::vector<std::size_t> numbers(const Args& args, std::string_view flag, std::size_t most,
                                 std::string_view otherwise = {});

// The flag "isa", `otherwise` where it was not given; "all" becomes an empty list.
std::vector<std::string> isa_names(const Args& args, std::string_view otherwise);
std::vector<int> thread_counts(const Args& args);

// A flag that is one of two words.
bool is_second(const Args& args, std::string_view flag, std::string_view first, std::string_view second);

// Items of a list by their names; "all" stands for each of them.
template <class T, std::size_t N>
std::vector<T> choices(const Args& args, std::string_view flag, const T (&values)[N], std::string_view otherwise = {}) {
  std::vector<T> out;
  std::vector<std::string_view> names;
  for (const T value : values) names.push_back(name(value));
  for (const std::string& item : items(args, flag, otherwise)) {
    const auto found = std::find(names.begin(), names.end(), item);
    if (item == "all") {
      out.insert(out.end(), std::begin(values), std::end(values));
    } else if (found != names.end()) {
      out.push_back(values[found - names.begin()]);
    } else {
      std::string known = "all";
      for (const std::string_view n : names) known += ", " + std::string(n);
      refuse("unknown name '" + item + "'", "--" + std::string(flag), known);
    }
  }
  return out;
}

// A single one of them.
template <class T, std::size_t N>
T choice(const Args& args, std::string_view flag, const T (&values)[N]) {
  const std::vector<T> chosen = choices(args, flag, values);
  if (chosen.size() != 1) refuse("one name is needed, not a list", "--" + std::string(flag), {});
  return chosen.front();
}

// A single enumerator.
template <Named E>
E choice(const Args& args, std::string_view flag) {
  const std::string& value = flag_value(args, flag);
  const std::optional<E> chosen = from_name<E>(value);
  if (!chosen) refuse("unknown name '" + value + "'", "--" + std::string(flag), std::string(all_names<E>()));
  return *chosen;
}

}  // namespace halfstep::cli
