#include "data/builtin.hpp"

#include <array>

#include "base/rng.hpp"
#include "data/digits.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::string_view kPrefix = "builtin:";

Column number_column(std::string name, std::size_t rows) {
  Column column;
  column.name = std::move(name);
  column.numbers.resize(rows);
  return column;
}

// Three arms, each turning once around the origin.
Table make_spirals(std::size_t rows, const Rng& rng) {
  constexpr double kNoise = 0.04;
  constexpr std::array<std::array<double, 2>, 3> kArm = {
      {{1, 0}, {-0.5, 0.8660254037844386}, {-0.5, -0.8660254037844386}}};
  // Rotation by 1/512 of a turn, applied again and again: no sin or cos, whose last bits differ by platform.
  constexpr double kCos = 0.9999247018391445;
  constexpr double kSin = 0.012271538285719925;
  std::array<std::array<double, 2>, 513> turn{};
  turn[0] = {1, 0};
  for (std::size_t i = 1; i < turn.size(); ++i) {
    turn[i] = {turn[i - 1][0] * kCos - turn[i - 1][1] * kSin, turn[i - 1][0] * kSin + turn[i - 1][1] * kCos};
  }
  Table table{rows, {number_column("x", rows), number_column("y", rows), {}}, true, {}};
  Column& arm_column = table.columns[2];
  arm_column.name = "arm";
  arm_column.is_text = true;
  arm_column.values = {"red", "green", "blue"};
  for (std::size_t row = 0; row < rows; ++row) {
    const std::uint32_t arm = rng.below(4 * row, 3);
    const std::uint32_t step = rng.below(4 * row + 1, 513);
    const double radius = 0.1 + 0.9 * step / 512.0;
    const double u = turn[step][0] * radius;
    const double v = turn[step][1] * radius;
    table.columns[0].numbers[row] = u * kArm[arm][0] - v * kArm[arm][1] + kNoise * rng.normal((1ull << 40) + 2 * row);
    table.columns[1].numbers[row] =
        u * kArm[arm][1] + v * kArm[arm][0] + kNoise * rng.normal((1ull << 40) + 2 * row + 1);
    arm_column.codes.push_back(arm);
  }
  return table;
}

// After Friedman's first problem (1991), with polynomials for the sine, and three inputs that matter little or not.
Table make_regression(std::size_t rows, const Rng& rng) {
  constexpr std::size_t kInputs = 8;
  Table table{rows, {}, true, {}};
  for (std::size_t i = 0; i < kInputs; ++i) table.columns.push_back(number_column("x" + std::to_string(i), rows));
  table.columns.push_back(number_column("y", rows));
  for (std::size_t row = 0; row < rows; ++row) {
    std::array<double, kInputs> x{};
    for (std::size_t i = 0; i < kInputs; ++i) {
      x[i] = rng.uniform(kInputs * row + i);
      table.columns[i].numbers[row] = x[i];
    }
    const double p = x[0] * x[1];
    const double hump = 4 * p * (1 - p);
    const double y = 10 * hump + 20 * (x[2] - 0.5) * (x[2] - 0.5) + 10 * x[3] + 5 * x[4] + 3 * x[5] * x[6];
    table.columns[kInputs].numbers[row] = y + 0.5 * rng.normal((1ull << 40) + row);
  }
  return table;
}

struct BuiltinSet {
  std::string_view name;
  std::size_t train_rows;
  std::size_t test_rows;
  std::variant<Table, Matrix> (*make)(std::size_t rows, const Rng& rng);
};

using Content = std::variant<Table, Matrix>;
constexpr std::array kSets = {
    BuiltinSet{"digits", 8000, 2000, [](std::size_t rows, const Rng& rng) { return Content(make_digits(rows, rng)); }},
    BuiltinSet{"spirals", 3000, 1000,
               [](std::size_t rows, const Rng& rng) { return Content(make_spirals(rows, rng)); }},
    BuiltinSet{"regression", 4000, 1000,
               [](std::size_t rows, const Rng& rng) { return Content(make_regression(rows, rng)); }},
};

}  // namespace

bool is_builtin(std::string_view path) { return path.starts_with(kPrefix); }

BuiltinData make_builtin(std::string_view path, std::uint64_t seed) {
  const std::string_view name = is_builtin(path) ? path.substr(kPrefix.size()) : path;
  std::vector<std::string> names;
  for (const BuiltinSet& set : kSets) {
    if (set.name == name) return {set.make(set.train_rows, Rng(seed, 1)), set.make(set.test_rows, Rng(seed, 2))};
    names.push_back(std::string(kPrefix) + std::string(set.name));
  }
  fail(Status::invalid_argument, "no such built-in data set", excerpt(path), "there are " + list_names(names));
}

}  // namespace halfstep::internal::data
