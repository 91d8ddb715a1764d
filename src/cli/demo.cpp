#include "halfstep/demo.hpp"

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

constexpr std::size_t kGap = 2;

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string blanks(width - std::min(width, text.size()), ' ');
  return right ? blanks + text : text + blanks;
}

// Words wrapped at 100 columns.
std::string wrapped(std::string_view text) {
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const bool fresh = used == 0 || used + 1 + end > 100;
    if (used > 0) out += fresh ? '\n' : ' ';
    used = fresh ? end : used + 1 + end;
    out += text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out + "\n";
}

std::string table_text(const DemoTable& table, bool colour) {
  std::size_t label_width = table.title.size();
  for (const DemoRow& row : table.rows) label_width = std::max(label_width, row.label.size());
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    std::size_t width = table.columns[c].size();
    for (const DemoRow& row : table.rows) width = std::max(width, short_number(row.values[c], 4).size());
    widths.push_back(width + kGap);
  }
  std::string head = padded(table.title, label_width, false), body;
  for (std::size_t c = 0; c < widths.size(); ++c) head += padded(table.columns[c], widths[c], true);
  for (const DemoRow& row : table.rows) {
    body += padded(row.label, label_width, false);
    for (std::size_t c = 0; c < widths.size(); ++c) body += padded(short_number(row.values[c], 4), widths[c], true);
    body += row.note.empty() ? "\n" : "   " + row.note + "\n";
  }
  return "\n" + bold(head, colour) + "\n" + body;
}

std::string demo_text(const Demo& demo) {
  const bool colour = colour_on_stdout();
  std::string text = bold(demo.name + ": " + demo.title, colour) + "\n";
  for (const DemoTable& table : demo.tables) text += table_text(table, colour);
  return text + "\n" + wrapped(demo.lesson);
}

std::string row_json(const DemoRow& row) {
  std::vector<std::string> values;
  for (const double value : row.values) values.push_back(json_text(value));
  JsonObject object;
  object.text("label", row.label).raw("values", "[" + joined(values, ",") + "]");
  return object.text("note", row.note).str();
}

std::string demo_json(const Demo& demo) {
  std::vector<std::string> tables;
  for (const DemoTable& table : demo.tables) {
    std::vector<std::string> rows;
    for (const DemoRow& row : table.rows) rows.push_back(row_json(row));
    JsonObject object;
    object.text("title", table.title).raw("columns", json_array(table.columns));
    tables.push_back(object.raw("rows", "[" + joined(rows, ",") + "]").str());
  }
  JsonObject object;
  object.text("name", demo.name).text("title", demo.title).raw("tables", "[" + joined(tables, ",") + "]");
  return object.text("lesson", demo.lesson).str();
}

}  // namespace

int run_demo(const Args& args) {
  std::vector<std::string> names = args.positional;
  if (names.empty()) names.assign(demo_names().begin(), demo_names().end());
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const Demo demo = halfstep::run_demo(name, args.options.isa);
    out.push_back(args.json ? demo_json(demo) : demo_text(demo));
  }
  if (args.json) {
    print(JsonObject().text("command", "demo").raw("demos", "[" + joined(out, ",") + "]").line());
  } else {
    print(joined(out, "\n\n"));
  }
  return kOk;
}

}  // namespace halfstep::cli
