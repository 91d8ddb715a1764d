#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace halfstep::cli {
namespace {

std::string params_json() {
  std::vector<std::string> items;
  for (const ParameterInfo& info : parameters()) {
    JsonObject object;
    object.text("name", info.name).text("type", info.type).text("default", info.default_value);
    items.push_back(object.text("range", info.range).text("help", info.help).str());
  }
  return JsonObject().text("command", "params").raw("parameters", "[" + joined(items, ",") + "]").line();
}

std::string params_text() {
  std::string text = "# Every parameter at its default, ready for --config FILE.\n";
  for (const ParameterInfo& info : parameters()) {
    text += "\n# " + std::string(info.help) + " [" + std::string(info.type) + "]";
    if (!info.range.empty()) text += " " + std::string(info.range);
    text += "\n" + std::string(info.name) + " = " + std::string(info.default_value) + "\n";
  }
  return text;
}

}  // namespace

int run_params(const Args& args) {
  print(args.json ? params_json() : params_text());
  return kOk;
}

}  // namespace halfstep::cli
