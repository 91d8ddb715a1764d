// What the list of parameters is made of: an entry for a field of Options, by the type of that field.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/enum_names.hpp"
#include "run/options_parse.hpp"
#include "run/options_registry.hpp"

namespace halfstep::internal::options {

// The list in its parts, in the order help prints them.
std::vector<Entry> data_entries();
std::vector<Entry> model_entries();
std::vector<Entry> precision_entries();
std::vector<Entry> training_entries();

using Name = std::string_view;

constexpr std::int64_t kMost = std::int64_t{1} << 53;  // counts stay exact as numbers of JSON

Entry text(Name name, Name help, std::string Options::*field);
Entry list(Name name, Name help, std::vector<std::string> Options::*field);
Entry flag(Name name, Name help, bool Options::*field);
// `accepts` is written so that a NaN fails it; `range` says it in words.
Entry number(Name name, Name range, bool (*accepts)(double), Name help, double Options::*field);
// One of `choices`, "a|b|c", kept as text. `choices` outlives the entry.
Entry choice(Name name, Name choices, Name help, std::string Options::*field);

// From `least` to `most`, both included.
template <typename T>
Entry integer(Name name, std::int64_t least, std::int64_t most, Name range, Name help, T Options::*field) {
  return {name,
          "integer",
          range,
          help,
          [=](Options& o, Name v) { o.*field = static_cast<T>(parse_integer(name, v, least, most)); },
          [field](const Options& o) { return std::to_string(o.*field); }};
}

// One of `choices`, which are names of E.
template <Named E>
Entry choice(Name name, Name choices, Name help, E Options::*field) {
  return {name,
          choices,
          "",
          help,
          [=](Options& o, Name v) { o.*field = parse_name<E>(name, v, choices); },
          [field](const Options& o) { return std::string(halfstep::name(o.*field)); }};
}

// One of all names of E.
template <Named E>
Entry choice(Name name, Name help, E Options::*field) {
  return choice(name, all_names<E>(), help, field);
}

// Ranges of numbers. Judged as fp32, which is what the kernels will see.
bool positive(double v);
bool not_negative(double v);
bool fraction(double v);  // >= 0 and < 1

}  // namespace halfstep::internal::options
