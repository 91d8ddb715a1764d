#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace halfstep::cli {
namespace {

std::string params_json() { return JsonObject().text("command", "params").raw("parameters", parameters_json()).line(); }

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
