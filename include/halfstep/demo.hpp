// Three small demonstrations of what mixed precision is about, computed by the code that trains.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halfstep {

// A line of a table.
struct DemoRow {
  std::string label;
  std::vector<double> values;  // one per column
  std::string note;            // what to see in it
};

// Numbers that a demonstration computed.
struct DemoTable {
  std::string title;
  std::vector<std::string> columns;
  std::vector<DemoRow> rows;
};

// One demonstration, as `halfstep demo` shows it.
struct Demo {
  std::string name;
  std::string title;
  std::vector<DemoTable> tables;
  std::string lesson;
};

// "underflow", "scaling", "overflow".
std::span<const std::string_view> demo_names();

// Throws Error(invalid_argument) for another name.
Demo run_demo(std::string_view name, std::string_view isa = "auto");

}  // namespace halfstep
