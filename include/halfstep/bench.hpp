// Measurements of this machine: medians of interleaved repetitions beside its own measured peak.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/optimizer.hpp"
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
  std::vector<std::string> isas;  // empty: every ISA that runs here with this math
  Math math = Math::portable;
  std::vector<int> threads;  // each at least 1
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

// The read of the gradients (GradientPass::check) and the update behind it (FusedUpdate::apply), on one plain tensor.
struct GradPassBenchRequest {
  std::size_t elements = 0;  // at least 1
  Dtype gradient = Dtype::fp32;
  OptimizerOptions optimizer;     // weights: fp32 with a bf16 working copy, or bf16 alone without a master
  std::vector<std::string> isas;  // empty: every ISA that runs here
  std::vector<int> threads;       // each at least 1
  int repetitions = 15;
};

struct GradPassBenchResult {
  bool update = false;  // else the read
  std::string isa;
  int threads = 1;
  double median_ns = 0;
  double gb_per_s = 0;               // bytes read and written / median
  double read_gb_per_s = 0;          // the machine's, by a plain loop over the same memory in the same repetitions
  double update_gb_per_s = 0;        // the machine's, reading and writing in place
  double bound_ns = 0;               // max(bytes read / read bandwidth, all bytes / update bandwidth)
  double fraction_of_bandwidth = 0;  // bound_ns / median_ns
};

// Two results, read and update, for each ISA and number of threads.
// Throws Error(invalid_argument, unsupported, out_of_memory).
std::vector<GradPassBenchResult> bench_gradpass(const GradPassBenchRequest& request);

}  // namespace halfstep
