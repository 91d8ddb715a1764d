// Which compiled ISA runs on this CPU, and which one is taken.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "halfstep/types.hpp"

namespace halfstep::internal {

struct KernelTable;

struct IsaState {
  const char* name;
  const KernelTable* table;  // do not call into it unless `runnable`
  bool runnable;
  bool native;         // some products have bits of their own: for Math::native only
  std::string reason;  // "runs here", "CPU lacks avx512bw", ...
  std::string note;    // what is particular about it on this CPU; may be empty
};

// Every compiled ISA from the plainest to the widest; detected once.
std::span<const IsaState> isas();

// True where a run with this math may take the ISA: it runs here, and is not native unless that was asked for.
bool usable(const IsaState& state, Math math);

// "auto" or "": HALFSTEP_ISA where it is set, else the widest that is usable. Throws
// Error(unsupported) when the name is unknown, cannot run or is native and the math is not, with the list of those that
// can.
const KernelTable& select_isa(std::string_view requested = "auto", Math math = Math::portable);

// The state entry behind select_isa, for its name.
const IsaState& select_isa_state(std::string_view requested = "auto", Math math = Math::portable);

// Why select_isa takes what it takes: "best that this CPU runs", "asked for by HALFSTEP_ISA", "asked for".
std::string selection_reason(std::string_view requested = "auto");

// What the math means for the ISA chosen, and what the other one would mean here.
std::string math_reason(const IsaState& chosen, Math math);

}  // namespace halfstep::internal
