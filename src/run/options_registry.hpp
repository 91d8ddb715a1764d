// The one list of parameters.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "halfstep/options.hpp"

namespace halfstep::internal::options {

struct Entry {
  std::string_view name;
  std::string_view type;
  std::string_view range;
  std::string_view help;
  std::function<void(Options&, std::string_view)> set;
  std::function<std::string(const Options&)> get;
};

// In the order help prints them.
std::span<const Entry> registry();

// Whether somebody chose the value of a parameter: by name, or by another than its default.
bool is_given(const Options& options, std::string_view name);

}  // namespace halfstep::internal::options
