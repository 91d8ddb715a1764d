#include <algorithm>
#include <utility>

#include "cli/commands.hpp"
#include "halfstep/files.hpp"

namespace halfstep::cli {
namespace {

using Word = std::string_view;

constexpr std::size_t kWidth = 100;
constexpr std::size_t kColumn = 32;  // where explanations start

// Groups of the registry's order, each named at its first parameter.
struct Group {
  Word first;
  Word title;
};
constexpr Group kGroups[] = {{"threads", "Machine"},     {"test", "Data"},           {"hidden", "Model"},
                             {"precision", "Precision"}, {"optimizer", "Optimizer"}, {"epochs", "Length of a run"},
                             {"out", "Output"}};

// `left` in the first column, `right` wrapped in the second.
std::string row(const std::string& left, Word right) {
  std::string text = "  " + left;
  std::size_t used = text.size();
  auto start_column = [&] {
    text += '\n' + std::string(kColumn, ' ');
    used = kColumn;
  };
  if (used + 2 > kColumn) {
    start_column();
  } else {
    text.append(kColumn - used, ' ');
    used = kColumn;
  }
  while (!right.empty()) {
    const std::size_t end = std::min(right.find(' '), right.size());
    if (used > kColumn && used + 1 + end > kWidth) start_column();
    if (used > kColumn) {
      text += ' ';
      ++used;
    }
    text += right.substr(0, end);
    used += end;
    right.remove_prefix(std::min(end + 1, right.size()));
  }
  return text + '\n';
}

// For a parameter or a command's own flag.
template <class Info>
std::string explain(const Info& info) {
  std::string text(info.help);
  // Some names of types are their own list of choices; these read better among the words than before them.
  if (info.type.find('|') != Word::npos) {
    text += ": ";
    for (const char c : info.type) text += c == '|' ? std::string(", ") : std::string(1, c);
  }
  std::string detail;
  if (!info.range.empty()) detail = info.range;
  if (!info.default_value.empty()) {
    detail += (detail.empty() ? "" : "; ") + std::string("default ") + std::string(info.default_value);
  }
  return detail.empty() ? text : text + " (" + detail + ")";
}

template <class Info>
std::string left_column(const Info& info) {
  const Word type = info.type;
  std::string text = "--" + std::string(info.name);
  if (type == "flag") return text;
  return text + (type == "integer"  ? " N"
                 : type == "number" ? " X"
                 : type == "list"   ? " A,B,.."
                 : type == "text"   ? " TEXT"
                                    : " NAME");
}

std::string parameter_rows(const Command& command) {
  std::string text;
  Word title = "Parameters";
  bool titled = false;
  if (!command.flags.empty()) text += "\nFlags:\n";
  for (const Flag& flag : command.flags) text += row(left_column(flag), explain(flag));
  for (const ParameterInfo& info : parameters()) {
    for (const Group& group : kGroups) {
      if (group.first != info.name) continue;
      title = group.title;
      titled = false;
    }
    if (!accepts(command, info.name)) continue;
    if (!std::exchange(titled, true)) text += "\n" + std::string(title) + ":\n";
    text += row(left_column(info), explain(info));
  }
  return text;
}

std::string switch_rows(const Command& command) {
  std::string text = "\nCommon:\n";
  if (command.accepts.empty()) text += row("--config FILE", "parameters as lines of key = value; flags win over it");
  if (accepts(command, "json")) text += row("--json", "results on standard output as JSON, errors too");
  if (accepts(command, "quiet")) text += row("--quiet", "no narration, only results and errors");
  if (accepts(command, "v")) text += row("-v, --verbose", "more narration");
  return text + row("-h, --help", "this text");
}

}  // namespace

std::string general_help() {
  std::string text = "halfstep trains multi-layer perceptrons on a CPU in mixed precision.\n\nusage:\n";
  for (const Command& command : commands()) {
    text += row("halfstep " + std::string(command.name) + " " + std::string(command.usage), command.help);
  }
  text += "\n" +
          row("DATA", "a file whose name ends in " + data_endings() +
                          ", each also with .gz behind it, or of another name if its content or --format tells what "
                          "it is; a folder with the four MNIST-style files; - for standard input; builtin:NAME") +
          "\n";
  text += row("halfstep COMMAND --help", "the flags of a command");
  text += row("halfstep --version", "the version");
  text +=
      "\nexit codes: 0 success, 1 a bug, 2 usage, 3 bad data or model file, 4 input or output, 5 diverged,\n"
      "6 memory or limit, 7 unsupported, 8 results incomplete; 129, 130, 143 stopped by a signal, model saved.\n";
  return text;
}

std::string command_help(const Command& command) {
  const std::string name(command.name);
  return "halfstep " + name + ": " + std::string(command.help) + "\n\nusage: halfstep " + name + " " +
         std::string(command.usage) + "\n" + parameter_rows(command) + switch_rows(command);
}

}  // namespace halfstep::cli
