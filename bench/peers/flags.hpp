// What the command lines of the programs here have in common.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halfstep::peers {

struct Flag {
  std::string_view name;
  std::string_view value;  // default, until the command line has another
};

struct Switches {
  bool json = false;
  bool help = false;
};

// All of it throws Error(invalid_argument).
Switches read_flags(std::span<const std::string_view> words, std::span<Flag> flags);
std::string_view value_of(std::span<const Flag> flags, std::string_view name);

[[noreturn]] void refuse(std::string what, std::string_view flag, std::string hint = "--help");
std::vector<std::string> split(std::string_view text, char separator);
std::size_t number(const std::string& text, std::size_t most, std::string_view flag);
std::vector<int> thread_numbers(std::string_view list);

// Those of `all` that the list names; "all" stands for each.
template <class T, std::size_t N>
std::vector<T> choices(std::string_view list, const T (&all)[N], std::string_view flag) {
  std::vector<T> out;
  for (const std::string& item : split(list, ',')) {
    const std::size_t before = out.size();
    for (const T value : all) {
      if (item == "all" || item == name(value)) out.push_back(value);
    }
    if (out.size() > before) continue;
    std::string known = "all";
    for (const T value : all) known += ", " + std::string(name(value));
    refuse("unknown name '" + item + "'", flag, known);
  }
  return out;
}

}  // namespace halfstep::peers
