#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

std::string verdict_text(const std::string& path, const Verification& v) {
  return path + (v.good ? "  good: " + v.kind + ", digest " + v.digest : "  bad: " + v.why);
}

std::string verdict_json(const std::string& path, const Verification& v) {
  JsonObject object;
  object.text("command", "verify").text("file", path).boolean("good", v.good).text("kind", v.kind);
  return object.text("digest", v.digest).text("why", v.why).line();
}

}  // namespace

int run_verify(const Args& args) {
  bool good = true;
  for (const std::string& path : args.positional) {
    const Verification v = verify(path);
    print(args.json ? verdict_json(path, v) : printable(verdict_text(path, v)) + "\n");
    good = good && v.good;
  }
  return good ? kOk : kFormat;
}

}  // namespace halfstep::cli
