// Measurements of this machine: medians of interleaved repetitions beside its own measured peak.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/types.hpp"

namespace halfstep {

// The three matrix products of a dense layer. C[m][n] is a sum over k:
//   forward          y   = x W^T     m = batch, n = outputs, k = inputs
//   input_gradient   dx  = dy W      m = batch, n = inputs,  k = outputs
//   weight_gradient  dW  = dy^T x    m = outputs, n = inputs, k = batch
enum class Product { forward, input_gradient, weight_gradient };
std::string_view name(Product product);  // "forward", "dgrad", "wgrad"

// What happens to the sums. plain: bias, one rounding, row-major result. trainer: as in a training step, with ReLU or
// its derivative, column sums, and the result in both layouts. The weight gradient always comes in fp32 with its sum of
// squares.
enum class GemmEpilogue { plain, trainer };

struct GemmBenchShape {
  Product product = Product::forward;
  Dtype dtype = Dtype::bf16;
  std::size_t m = 0, n = 0, k = 0;  // each at least 1
};

struct GemmBenchRequest {
  GemmBenchShape shape;
  std::vector<std::string> isas;  // empty: every ISA that runs here
  std::vector<int> threads;       // each at least 1
  GemmEpilogue epilogue = GemmEpilogue::plain;
  int repetitions = 15;
};

struct GemmBenchResult {
  GemmBenchShape shape;
  std::string isa;
  int threads = 1;
  double median_ns = 0;
  double gflops = 0;            // 2 m n k / median
  double peak_gflops = 0;       // median of the instruction loop in the same repetitions
  double fraction_of_peak = 0;  // gflops / peak_gflops
};

// One result for each ISA and number of threads. Weights are packed beforehand, as a trainer holds them.
// Throws Error(invalid_argument, unsupported, out_of_memory).
std::vector<GemmBenchResult> bench_gemm(const GemmBenchRequest& request);

}  // namespace halfstep
