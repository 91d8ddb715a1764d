// Results of a benchmark as a table for people, as CSV or as Markdown.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halfstep::cli {

struct Column {
  std::string_view name;
  int width;  // in a plain table; negative: to the left
};

class BenchTable {
 public:
  // The format is table, csv or markdown. Throws Error(invalid_argument).
  BenchTable(std::string_view format, std::span<const Column> columns);

  std::string head() const;
  std::string row(const std::vector<std::string>& cells) const;

 private:
  enum class Format { table, csv, markdown };
  Format format_;
  std::vector<Column> columns_;
};

std::string fixed(double value, int digits);

}  // namespace halfstep::cli
