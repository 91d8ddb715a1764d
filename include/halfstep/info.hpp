// What this build and this machine offer.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/types.hpp"

namespace halfstep {

// A compiled ISA, and why it is chosen or not.
struct IsaInfo {
  std::string name;
  bool runnable = false;
  bool chosen = false;
  std::string reason;  // "best that this CPU runs", "CPU lacks avx512bw", "asked for by HALFSTEP_ISA"
};

// What `halfstep info` tells.
struct SystemInfo {
  std::string version;
  std::string compiler;
  std::string cpu;
  std::vector<IsaInfo> isas;  // from the plainest to the widest
  std::string math;           // "portable" or "native"
  std::string math_reason;
  int threads = 1;  // default of this process
  std::string threads_reason;
  std::string parallel;  // back end: "oneTBB 2021.8"
  std::string xsimd;
  bool gzip = false;      // zlib found at build time
  std::string zlib;       // its version; empty without it
  std::string c_library;  // "glibc 2.36"; empty: another one
  std::string limits;     // memory and CPU limits seen
};

// "0.1.0".
std::string_view version();
// Throws Error(unsupported) when `isa` or HALFSTEP_ISA names one that is unknown or cannot run here with this math.
SystemInfo system_info(const std::string& isa = "auto", Math math = Math::portable);

}  // namespace halfstep
