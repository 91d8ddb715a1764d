// Which compiled ISA runs on this CPU, and which one is taken.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace halfstep {

struct KernelTable;

struct IsaState {
  const char* name;
  const KernelTable* table;  // do not call into it unless `runnable`
  bool runnable;
  std::string reason;  // "runs here", "CPU lacks avx512bw", ...
};

// Every compiled ISA from the plainest to the widest; detected once.
std::span<const IsaState> isas();

// "auto" or "": HALFSTEP_ISA where it is set, else the widest that runs here. Throws Error(unsupported) when the
// name is unknown or cannot run, with the list of those that can.
const KernelTable& select_isa(std::string_view requested = "auto");

// The state entry behind select_isa, for its name.
const IsaState& select_isa_state(std::string_view requested = "auto");

// Why select_isa takes what it takes: "best that this CPU runs", "asked for by HALFSTEP_ISA", "asked for".
std::string selection_reason(std::string_view requested = "auto");

}  // namespace halfstep
