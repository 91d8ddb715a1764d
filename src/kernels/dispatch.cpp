#include "kernels/dispatch.hpp"

#include <cstdlib>
#include <vector>

#include "halfstep/error.hpp"
#include "kernels/cpu.hpp"
#include "kernels/isa_list.hpp"

namespace halfstep {

#define HS_DECLARE(isa, bits)          \
  namespace isa_##isa {                \
    const KernelTable& kernel_table(); \
  }
HS_FOR_EACH_ISA(HS_DECLARE)
#undef HS_DECLARE

namespace {

IsaState state_of(const char* name, const KernelTable& table, std::string_view bits) {
  std::string missing = missing_cpu_bits(bits);
  const bool runnable = missing.empty();
  return {name, &table, runnable, runnable ? "runs here" : std::move(missing)};
}

std::vector<IsaState> detect() {
  std::vector<IsaState> states;
#define HS_STATE(isa, bits) states.push_back(state_of(#isa, isa_##isa::kernel_table(), bits));
  HS_FOR_EACH_ISA(HS_STATE)
#undef HS_STATE
  return states;
}

bool is_automatic(std::string_view requested) { return requested.empty() || requested == "auto"; }

// What the user named, on the call or in the environment; "" when the choice is ours.
struct Request {
  std::string_view name;
  bool from_environment;
};

Request resolve(std::string_view requested) {
  if (!is_automatic(requested)) return {requested, false};
  const char* variable = std::getenv("HALFSTEP_ISA");
  if (variable == nullptr || is_automatic(variable)) return {{}, false};
  return {variable, true};
}

std::string runnable_list() {
  std::string list;
  for (const IsaState& state : isas()) {
    if (state.runnable) list += (list.empty() ? "" : ", ") + std::string(state.name);
  }
  return list;
}

[[noreturn]] void refuse(const Request& request, std::string why) {
  throw Error(Status::unsupported, {.what = "cannot use ISA '" + std::string(request.name) + "'",
                                    .where = request.from_environment ? "HALFSTEP_ISA" : "isa",
                                    .why = std::move(why),
                                    .kept = {},
                                    .hint = "auto, " + runnable_list()});
}

}  // namespace

std::span<const IsaState> isas() {
  static const std::vector<IsaState> states = detect();
  return states;
}

const IsaState& select_isa_state(std::string_view requested) {
  const Request request = resolve(requested);
  const IsaState* best = nullptr;
  for (const IsaState& state : isas()) {
    if (request.name == state.name) {
      if (!state.runnable) refuse(request, state.reason);
      return state;
    }
    if (state.runnable) best = &state;
  }
  if (!request.name.empty()) refuse(request, "this build has no ISA of that name");
  if (best == nullptr) throw Error(Status::internal, {.what = "no ISA of this build runs on this CPU"});
  return *best;
}

const KernelTable& select_isa(std::string_view requested) { return *select_isa_state(requested).table; }

std::string selection_reason(std::string_view requested) {
  const Request request = resolve(requested);
  if (request.name.empty()) return "best that this CPU runs";
  return request.from_environment ? "asked for by HALFSTEP_ISA" : "asked for";
}

}  // namespace halfstep
