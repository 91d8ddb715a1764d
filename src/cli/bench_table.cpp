#include "cli/bench_table.hpp"

#include <cstdio>
#include <cstdlib>

#include "cli/lists.hpp"

namespace halfstep::cli {
namespace {

std::string padded(const std::string& text, int width) {
  const auto wanted = static_cast<std::size_t>(std::abs(width));
  const std::string blanks(wanted - std::min(wanted, text.size()), ' ');
  return width < 0 ? text + blanks : blanks + text;
}

}  // namespace

BenchTable::BenchTable(std::string_view format, std::span<const Column> columns)
    : columns_(columns.begin(), columns.end()) {
  if (format == "table") {
    format_ = Format::table;
  } else if (format == "csv") {
    format_ = Format::csv;
  } else if (format == "markdown") {
    format_ = Format::markdown;
  } else {
    refuse("unknown name '" + std::string(format) + "'", "--format", "table, csv, markdown");
  }
}

std::string BenchTable::head() const {
  std::vector<std::string> names;
  for (const Column& column : columns_) names.emplace_back(column.name);
  if (format_ != Format::markdown) return row(names);
  std::string rule = "|";
  for (const Column& column : columns_) rule += column.width < 0 ? "---|" : "---:|";
  return row(names) + rule + "\n";
}

std::string BenchTable::row(const std::vector<std::string>& cells) const {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (format_ == Format::table) text += (i > 0 ? " " : "") + padded(cells[i], columns_[i].width);
    if (format_ == Format::csv) text += (i > 0 ? "," : "") + cells[i];
    if (format_ == Format::markdown) text += (i > 0 ? " | " : "| ") + cells[i];
  }
  return text + (format_ == Format::markdown ? " |\n" : "\n");
}

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace halfstep::cli
