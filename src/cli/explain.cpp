#include <algorithm>
#include <cmath>

#include "cli/commands.hpp"
#include "cli/lists.hpp"
#include "cli/output.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

constexpr std::size_t kMostColumns = 1000;

std::string bracketed(const std::vector<std::string>& items) { return "[" + joined(items, ",") + "]"; }

std::string json_of(double number) {
  return std::isfinite(number) ? number_text(number) : json_text(number_text(number));
}

std::string point_json(const DependencePoint& point, bool is_number) {
  std::vector<std::string> means;
  for (const double mean : point.means) means.push_back(json_of(mean));
  JsonObject object;
  object.raw("value", is_number ? point.value : json_text(point.value));
  return object.raw("means", bracketed(means)).str();
}

std::string explanation_json(const std::string& model, const std::string& data, const Explanation& e) {
  std::vector<std::string> columns, dependences;
  for (const ColumnImportance& c : e.columns) {
    columns.push_back(
        JsonObject().text("name", c.name).number("increase", c.increase).number("deviation", c.deviation).str());
  }
  for (const Dependence& d : e.dependences) {
    std::vector<std::string> points;
    for (const DependencePoint& point : d.points) points.push_back(point_json(point, d.is_number));
    JsonObject object;
    object.text("column", d.column).text("kind", d.is_number ? "number" : "categories");
    dependences.push_back(object.raw("outputs", json_array(d.outputs)).raw("points", bracketed(points)).str());
  }
  JsonObject object;
  object.text("command", "explain").text("model", model).text("data", data);
  object.integer("rows", e.rows).integer("rows_used", e.used).integer("permutations", e.permutations);
  object.number("loss", e.loss).raw("columns", bracketed(columns)).raw("dependence", bracketed(dependences));
  return object.raw("notes", json_array(e.notes)).line();
}

// Cells of one width, the first to the left.
std::string line_of(const std::vector<std::string>& cells, std::size_t first) {
  std::string text = cells[0] + std::string(first - std::min(first, cells[0].size()), ' ');
  for (std::size_t i = 1; i < cells.size(); ++i) {
    text += "  " + std::string(cells[i].size() < 12 ? 12 - cells[i].size() : 0, ' ') + cells[i];
  }
  return text + "\n";
}

std::string dependence_text(const Dependence& d) {
  if (d.points.empty()) return "\n" + printable(d.column) + ": one value in these rows\n";
  std::vector<std::string> head = {printable(d.column)};
  for (const std::string& output : d.outputs) head.push_back(printable(output));
  std::size_t width = head[0].size();
  for (const DependencePoint& point : d.points) width = std::max(width, printable(point.value).size());
  std::string text = "\n" + line_of(head, width);
  for (const DependencePoint& point : d.points) {
    std::vector<std::string> cells = {printable(point.value)};
    for (const double mean : point.means) cells.push_back(brief(mean));
    text += line_of(cells, width);
  }
  return text;
}

std::string explanation_text(const Explanation& e) {
  std::size_t width = std::string_view("column").size();
  for (const ColumnImportance& c : e.columns) width = std::max(width, printable(c.name).size());
  std::string text = line_of({"column", "loss rises by", "+-"}, width);
  for (const ColumnImportance& c : e.columns) {
    text += line_of({printable(c.name), brief(c.increase), brief(c.deviation)}, width);
  }
  for (const Dependence& d : e.dependences) text += dependence_text(d);
  return text;
}

}  // namespace

int run_explain(const Args& args) {
  const std::string& model = args.positional[0];
  const std::string& data = args.positional[1];
  const std::string& columns = flag_value(args, "columns");
  const std::size_t shown = columns == "0" ? 0 : number(columns, "columns", kMostColumns);
  const Explanation e = explain(model, data, shown, args.options);
  Narrator narrator(args);
  for (const std::string& read : e.reads) {
    if (args.verbose) narrator.heading("read", read);
  }
  for (const std::string& note : e.notes) narrator.heading("note", note);
  narrator.heading("rows", std::to_string(e.used) + (e.used < e.rows ? " of " + std::to_string(e.rows) : "") +
                               ", with a loss of " + brief(e.loss));
  narrator.heading("columns", "by how much the loss rises when their values change places among the rows, mean of " +
                                  std::to_string(e.permutations) + " times");
  if (!e.dependences.empty()) {
    narrator.heading("values", "what it says in the mean if all rows have the value that stands first");
  }
  print(args.json ? explanation_json(model, data, e) : explanation_text(e));
  return kOk;
}

}  // namespace halfstep::cli
