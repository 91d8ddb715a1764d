// The kinds of benchmark; each has a file of its own and a row in the table of bench.cpp.
#pragma once
#include "cli/lists.hpp"
#include "halfstep/optimizer.hpp"

namespace halfstep::cli {

void bench_gemm(const Args& args);
void bench_kernels(const Args& args);
void bench_gradpass(const Args& args);
void bench_step(const Args& args);

// Flags that several kinds have.
OptimizerOptions optimizer_flags(const Args& args);
int repetitions(const Args& args);
Math math(const Args& args);

}  // namespace halfstep::cli
