#include "run/options_entries.hpp"

#include "halfstep/text.hpp"

namespace halfstep::internal::options {

Entry text(Name name, Name help, std::string Options::*field) {
  return {name,
          "text",
          "",
          help,
          [field](Options& o, Name v) { o.*field = v; },
          [field](const Options& o) { return o.*field; }};
}

Entry list(Name name, Name help, std::vector<std::string> Options::*field) {
  return {name,
          "list",
          "",
          help,
          [field](Options& o, Name v) { o.*field = parse_list(v); },
          [field](const Options& o) { return list_text(o.*field); }};
}

Entry flag(Name name, Name help, bool Options::*field) {
  return {name,
          "flag",
          "",
          help,
          [=](Options& o, Name v) { o.*field = parse_flag(name, v); },
          [field](const Options& o) { return std::string(o.*field ? "true" : "false"); }};
}

Entry number(Name name, Name range, bool (*accepts)(double), Name help, double Options::*field) {
  return {name,
          "number",
          range,
          help,
          [=](Options& o, Name v) {
            const double value = parse_number(name, v);
            if (!accepts(value)) reject(name, v, "must be " + std::string(range));
            o.*field = value;
          },
          [field](const Options& o) { return number_text(o.*field); }};
}

Entry choice(Name name, Name choices, Name help, std::string Options::*field) {
  return {name,
          choices,
          "",
          help,
          [=](Options& o, Name v) { o.*field = parse_choice(name, v, choices); },
          [field](const Options& o) { return o.*field; }};
}

bool positive(double v) { return static_cast<float>(v) > 0; }
bool not_negative(double v) { return v >= 0; }
bool fraction(double v) { return v >= 0 && static_cast<float>(v) < 1; }

}  // namespace halfstep::internal::options
