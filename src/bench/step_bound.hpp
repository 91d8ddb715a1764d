// What a training step must do, whoever does it, and how long the machine needs for that at least. The tables are in
// halfstep/bench.hpp.
#pragma once
#include <array>

#include "halfstep/bench.hpp"

namespace halfstep::internal {

struct StageWork {
  double flop = 0;
  double read = 0, written = 0;  // bytes
};

using StepWork = std::array<StageWork, kStepStages>;  // indexed by StepStage

StepWork step_work(const StepBenchRequest& request, Dtype precision);
double total_flop(const StepWork& work);

struct MachineRates {
  double gflops = 0;
  double read_gb_per_s = 0;
  double update_gb_per_s = 0;
  double cache_bytes = 0;
};

double bound_ns(const StageWork& work, const MachineRates& rates);

}  // namespace halfstep::internal
