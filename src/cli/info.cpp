#include "cli/commands.hpp"
#include "cli/info_text.hpp"

namespace halfstep::cli {

SystemInfo info_of(const Args& args) {
  SystemInfo info = system_info(args.options.isa, args.options.math);
  if (args.options.threads > 0) {
    info.threads = args.options.threads;
    info.threads_reason = "asked for by --threads";
  }
  return info;
}

void add_info(JsonObject& object, const SystemInfo& info) {
  std::vector<std::string> isas;
  std::string chosen;
  for (const IsaInfo& isa : info.isas) {
    JsonObject entry;
    entry.text("name", isa.name).boolean("runnable", isa.runnable).boolean("chosen", isa.chosen);
    isas.push_back(entry.text("reason", isa.reason).str());
    if (isa.chosen) chosen = isa.name;
  }
  object.text("version", info.version).text("compiler", info.compiler).text("cpu", info.cpu);
  object.text("isa", chosen).raw("isas", "[" + joined(isas, ",") + "]");
  object.text("math", info.math).text("math_reason", info.math_reason);
  object.integer("threads", info.threads).text("threads_reason", info.threads_reason);
  object.text("parallel", info.parallel).text("xsimd", info.xsimd).boolean("gzip", info.gzip);
  object.text("zlib", info.zlib).text("c_library", info.c_library);
  object.text("limits", info.limits);
}

std::string info_text(const SystemInfo& info) {
  std::string text = row("halfstep", info.version + " (" + info.compiler + ")");
  text += row("cpu", info.cpu);
  for (const IsaInfo& isa : info.isas) {
    const char* state = isa.chosen ? "chosen" : isa.runnable ? "runnable" : "not here";
    text += row("isa", isa.name + ": " + state + (isa.reason.empty() ? "" : ", " + isa.reason));
  }
  text += row("math", info.math + ", " + info.math_reason);
  text +=
      row("threads", std::to_string(info.threads) + (info.threads_reason.empty() ? "" : ", " + info.threads_reason));
  text += row("parallel", info.parallel);
  text += row("xsimd", info.xsimd);
  text += row("gzip", info.gzip ? "yes, zlib " + info.zlib : "no");
  if (!info.c_library.empty()) text += row("libc", info.c_library);
  text += row("limits", info.limits);
  return text;
}

int run_info(const Args& args) {
  const SystemInfo info = info_of(args);
  JsonObject object;
  object.text("command", "info");
  add_info(object, info);
  print(args.json ? object.line() : info_text(info));
  return kOk;
}

}  // namespace halfstep::cli
