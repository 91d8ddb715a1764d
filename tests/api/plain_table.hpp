// A table of numbers, categories and gaps, with what it means to a network: calculated here, from the rows.
#pragma once
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/text.hpp"

namespace halfstep::test {

struct PlainRow {
  std::optional<double> a;
  double b = 0;
  std::string c;
  std::string label;
  double value = 0;
};

// Of `classes` classes, 2 or 3. Rows of another `start` are others.
inline std::vector<PlainRow> plain_rows(std::size_t count, std::size_t start, std::size_t classes) {
  constexpr const char* kTexts[] = {"north", "south", "west", ""};
  constexpr const char* kLabels[] = {"no", "yes", "maybe"};
  std::vector<PlainRow> rows;
  for (std::size_t i = start; i < start + count; ++i) {
    PlainRow row;
    const double a = static_cast<double>(i * 37 % 101) * 0.25 - 9;
    if (i % 7 != 3) row.a = a;
    row.b = 1000 + static_cast<double>(i * 53 % 89) * 1.5;
    row.c = kTexts[i * 5 % 9 % 4];
    row.value = 40 + 3 * a - 0.02 * row.b + static_cast<double>(i % 5);
    row.label = kLabels[static_cast<std::size_t>(row.value + 100) / 7 % classes];
    rows.push_back(std::move(row));
  }
  return rows;
}

// Columns a, b, c and the target y.
inline std::string table_text(const std::vector<PlainRow>& rows, bool regress) {
  std::string text = "a,b,c,y\n";
  for (const PlainRow& row : rows) {
    text += (row.a ? number_text(*row.a) : "") + "," + number_text(row.b) + "," + row.c + ",";
    text += (regress ? number_text(row.value) : row.label) + "\n";
  }
  return text;
}

// Mean and standard deviation over n.
struct PlainMoments {
  double mean = 0, deviation = 0;
  explicit PlainMoments(const std::vector<double>& values) {
    const auto n = static_cast<double>(values.size());
    for (const double v : values) mean += v / n;
    for (const double v : values) deviation += (v - mean) * (v - mean) / n;
    deviation = std::sqrt(deviation);
  }
};

// a and b standardised by the training rows, a gap being the mean, then one input for each text of c and one for none.
inline std::vector<double> plain_inputs(const std::vector<PlainRow>& train, const std::vector<PlainRow>& rows) {
  std::vector<double> as, bs;
  for (const PlainRow& row : train) {
    if (row.a) as.push_back(*row.a);
    bs.push_back(row.b);
  }
  const PlainMoments a(as), b(bs);
  std::vector<double> x;
  for (const PlainRow& row : rows) {
    x.push_back(row.a ? (*row.a - a.mean) / a.deviation : 0);
    x.push_back((row.b - b.mean) / b.deviation);
    for (const char* text : {"north", "south", "west", ""}) x.push_back(row.c == text ? 1 : 0);
  }
  return x;
}
constexpr std::size_t kPlainInputs = 6;

}  // namespace halfstep::test
