// Whether this machine computes as it should, how fast each precision is, and within what limits.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "halfstep/info.hpp"
#include "halfstep/types.hpp"

namespace halfstep {

// A kernel that gave another result than the same kernel of the ISA scalar: the first that differed.
struct KernelFailure {
  std::string isa;
  std::string kernel;  // "adam", "activate[gelu]", "gemm.rows_tile[8x2]": rows and panels of 16 columns
  Dtype dtype = Dtype::fp32;
  std::size_t length = 0;   // of the range, or k of a tile
  std::size_t element = 0;  // of the result
  std::string got, wanted;  // bits, "0x3f800001"
};

// The self-test of one ISA.
struct IsaCheck {
  std::string isa;
  std::int64_t kernels = 0;             // each storage type, activation and size of tile counts
  std::int64_t passed = 0;              // of them
  std::int64_t calls = 0;               // whose results were compared
  std::vector<KernelFailure> failures;  // one of a kernel
};

// How fast one precision is here, at best.
struct PrecisionSpeed {
  Dtype precision = Dtype::fp32;
  bool native = false;      // the ISA multiplies what is stored; else it is converted to fp32 first
  double gemm_gflops = 0;   // of a product of 384 x 384 x 384
  double step_ns = 0;       // a training step: 256-256-256-10, a batch of 64, AdamW
  double gemm_speedup = 0;  // fp32 is 1
  double step_speedup = 0;  // likewise
};

// A limit of the system on this process, as `ulimit` shows it.
struct ProcessLimit {
  std::string name;        // "address space"
  std::uint64_t soft = 0;  // in bytes, or a number of them; all ones: none
  std::uint64_t hard = 0;
};

// What this process may use.
struct MachineLimits {
  int affinity_cpus = 0;  // that the scheduler may put it on
  double cpu_quota = 0;   // of its control groups, in CPUs; 0: none
  std::uint64_t memory_bytes = 0;
  std::string memory_source;  // "physical memory"
  std::vector<ProcessLimit> process;
};

// How the thread that asked computes outside of halfstep. Inside it is always to nearest, subnormals flushed, no traps.
struct CallerFloatingPoint {
  std::string rounding;          // "to nearest", "upward", "downward", "toward zero"
  bool flushes_results = false;  // FTZ
  bool flushes_inputs = false;   // DAZ
  bool traps = false;            // some floating-point exception ends the program
};

// What to examine.
struct MachineOptions {
  std::string isa = "auto";  // whose speed is measured
  Math math = Math::portable;
  int threads = 0;      // of the measurements; 0: the default of this process
  bool measure = true;  // speeds; without, only the rest
};

// All that was found.
struct MachineReport {
  SystemInfo system;
  std::vector<IsaCheck> self_test;         // every ISA that runs here; scalar is what the others are held against
  std::vector<PrecisionSpeed> precisions;  // fp32 first; empty where nothing was measured
  std::string fastest;                     // a sentence
  MachineLimits limits;
  CallerFloatingPoint floating_point;
  bool ok = true;      // all kernels passed
  std::string advice;  // where not: what failed and what to do, one line
};

// In a few seconds. Throws Error(unsupported) as system_info does, and Error(out_of_memory).
MachineReport examine_machine(const MachineOptions& options = {});

}  // namespace halfstep
