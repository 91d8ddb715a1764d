// The kinds of benchmark; each has a file of its own and a row in the table of bench.cpp.
#pragma once
#include "cli/lists.hpp"

namespace halfstep::cli {

void bench_gemm(const Args& args);
void bench_gradpass(const Args& args);

}  // namespace halfstep::cli
