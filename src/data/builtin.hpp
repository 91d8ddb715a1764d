// Data sets made by the program itself: the same bits on every platform, from plain arithmetic on counter-based
// numbers.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "data/table.hpp"

namespace halfstep::internal::data {

// The sets users get do not depend on the run's seed: a data set stays what it is.
constexpr std::uint64_t kBuiltinSeed = 20240229;

struct BuiltinData {
  std::variant<Table, Matrix> train;
  std::variant<Table, Matrix> test;
};

bool is_builtin(std::string_view path);  // "builtin:..."

// "builtin:digits", "builtin:spirals" or "builtin:regression"; otherwise Error(invalid_argument) with the names.
BuiltinData make_builtin(std::string_view path, std::uint64_t seed);

}  // namespace halfstep::internal::data
