#include "cli/doctor.hpp"
#include "cli/info_text.hpp"

namespace halfstep::cli {

int doctor_machine(const Args& args) {
  const SystemInfo info = info_of(args);
  JsonObject object;
  object.text("command", "doctor").text("examination", "machine");
  add_info(object, info);
  print(args.json ? object.line() : info_text(info));
  return kOk;
}

}  // namespace halfstep::cli
