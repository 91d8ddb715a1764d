#include "kernels/dispatch.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/dtype.hpp"
#include "halfstep/error.hpp"
#include "kernels/cpu.hpp"
#include "kernels/isa_list.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

#define HS_DECLARE(isa, bits)          \
  namespace isa_##isa {                \
    const KernelTable& kernel_table(); \
  }
HS_FOR_EACH_ISA(HS_DECLARE)
#undef HS_DECLARE

namespace {

bool is_native(const KernelTable& table) {
  return std::any_of(std::begin(table.gemm), std::end(table.gemm), [](const GemmFamily& f) { return f.native; });
}

IsaState state_of(const char* name, const KernelTable& table, std::string_view bits) {
  std::string missing = missing_cpu_bits(bits);
  const bool runnable = missing.empty();
  const bool by_fma = runnable && table.gemm[index_of(Dtype::bf16)].by_fma != nullptr && slow_dot_bf16();
  std::string note = by_fma ? "bf16 products by fma, faster on this CPU than its bf16 instruction" : "";
  return {name, &table, runnable, is_native(table), runnable ? "runs here" : std::move(missing), std::move(note)};
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

std::string usable_list(Math math) {
  std::string list;
  for (const IsaState& state : isas()) {
    if (usable(state, math)) list += (list.empty() ? "" : ", ") + std::string(state.name);
  }
  return list;
}

[[noreturn]] void refuse(const Request& request, std::string why, std::string hint) {
  throw Error(Status::unsupported, {.what = "cannot use ISA '" + std::string(request.name) + "'",
                                    .where = request.from_environment ? "HALFSTEP_ISA" : "isa",
                                    .why = std::move(why),
                                    .kept = {},
                                    .hint = std::move(hint)});
}

}  // namespace

std::span<const IsaState> isas() {
  static const std::vector<IsaState> states = detect();
  return states;
}

bool usable(const IsaState& state, Math math) { return state.runnable && (!state.native || math == Math::native); }

const IsaState& select_isa_state(std::string_view requested, Math math) {
  const Request request = resolve(requested);
  const IsaState* best = nullptr;
  for (const IsaState& state : isas()) {
    if (request.name == state.name) {
      if (!state.runnable) refuse(request, state.reason, "auto, " + usable_list(math));
      if (!usable(state, math)) refuse(request, "its bits are its own, and the math is portable", "--math native");
      return state;
    }
    if (usable(state, math)) best = &state;
  }
  if (!request.name.empty()) refuse(request, "this build has no ISA of that name", "auto, " + usable_list(math));
  if (best == nullptr) throw Error(Status::internal, {.what = "no ISA of this build runs on this CPU"});
  return *best;
}

const KernelTable& select_isa(std::string_view requested, Math math) {
  return *select_isa_state(requested, math).table;
}

std::string selection_reason(std::string_view requested) {
  const Request request = resolve(requested);
  if (request.name.empty()) return "best that this CPU runs";
  return request.from_environment ? "asked for by HALFSTEP_ISA" : "asked for";
}

std::string math_reason(const IsaState& chosen, Math math) {
  if (chosen.native) return "bits of its own in some products: those of " + std::string(chosen.name);
  std::string native, missing;  // names of ISAs wider than the one chosen
  for (const IsaState& state : isas()) {
    if (std::string_view(state.name) == chosen.name) native = missing = "";
    if (state.native) (state.runnable ? native : missing) += " " + std::string(state.name);
  }
  const std::string same = "same bits on every ISA";
  if (math == Math::native) return same + ": " + chosen.name + " has no faster native products";
  if (!native.empty()) return same + "; native would allow" + native;
  if (!missing.empty()) return same + "; native would change nothing: this CPU cannot run" + missing;
  return same + "; native would change nothing on this CPU";
}

}  // namespace halfstep::internal
