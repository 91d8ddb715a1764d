#include "peers/flags.hpp"

#include <algorithm>
#include <charconv>

#include "halfstep/error.hpp"

namespace halfstep::peers {

using Word = std::string_view;

void refuse(std::string what, Word flag, std::string hint) {
  throw Error(Status::invalid_argument,
              {.what = std::move(what), .where = std::string(flag), .why = {}, .kept = {}, .hint = std::move(hint)});
}

std::vector<std::string> split(Word text, char separator) {
  std::vector<std::string> items;
  for (;;) {
    const std::size_t end = std::min(text.find(separator), text.size());
    items.emplace_back(text.substr(0, end));
    if (end == text.size()) return items;
    text.remove_prefix(end + 1);
  }
}

std::size_t number(const std::string& text, std::size_t most, Word flag) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= 1 && value <= most) return value;
  refuse("'" + text + "' is not a whole number from 1 to " + std::to_string(most), flag);
}

std::vector<int> thread_numbers(Word list) {
  constexpr std::size_t kMostThreads = 1024;
  std::vector<int> out;
  for (const std::string& text : split(list, ',')) {
    out.push_back(static_cast<int>(number(text, kMostThreads, "--threads")));
  }
  return out;
}

Word value_of(std::span<const Flag> flags, Word name) {
  return std::find_if(flags.begin(), flags.end(), [&](const Flag& f) { return f.name == name; })->value;
}

Switches read_flags(std::span<const Word> words, std::span<Flag> flags) {
  Switches out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Word word = words[i], shown = word.substr(0, word.find('='));
    if (word == "--help" || word == "-h") return {.help = true};
    if (word == "--json") {
      out.json = true;
      continue;
    }
    const auto flag = std::find_if(flags.begin(), flags.end(),
                                   [&](const Flag& f) { return shown.starts_with("--") && shown.substr(2) == f.name; });
    if (flag == flags.end()) refuse("unknown argument", shown);
    if (shown.size() < word.size()) {
      flag->value = word.substr(shown.size() + 1);
    } else if (++i < words.size()) {
      flag->value = words[i];
    } else {
      refuse("a value is missing", shown);
    }
  }
  return out;
}

}  // namespace halfstep::peers
