// Measurements of this machine: medians of interleaved repetitions beside its own measured peak.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/optimizer.hpp"
#include "halfstep/step_stage.hpp"
#include "halfstep/types.hpp"

namespace halfstep {

// The three matrix products of a dense layer. C[m][n] is a sum over k:
//   forward          y   = x W^T     m = batch, n = outputs, k = inputs
//   input_gradient   dx  = dy W      m = batch, n = inputs,  k = outputs
//   weight_gradient  dW  = dy^T x    m = outputs, n = inputs, k = batch
enum class Product { forward, input_gradient, weight_gradient };

template <>
inline constexpr std::array<std::string_view, 3> kEnumNames<Product> = {"forward", "dgrad", "wgrad"};

// What happens to the sums. plain: bias, one rounding, row-major result. trainer: as in a training step, with ReLU or
// its derivative, column sums, and the result in both layouts. The weight gradient always comes in fp32 with its sum of
// squares.
enum class GemmEpilogue { plain, trainer };

// One product: which of the three, stored as what, how large.
struct GemmBenchShape {
  Product product = Product::forward;
  Dtype dtype = Dtype::bf16;
  std::size_t m = 0, n = 0, k = 0;  // each at least 1
};

// What to measure of one product.
struct GemmBenchRequest {
  GemmBenchShape shape;
  std::vector<std::string> isas;  // empty: every ISA that runs here with this math
  Math math = Math::portable;
  std::vector<int> threads;  // each at least 1
  GemmEpilogue epilogue = GemmEpilogue::plain;
  int repetitions = 15;
};

// The product on one ISA with one number of threads.
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

// The read or the update on one ISA with one number of threads.
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

// How much of the machine the arrays of a kernel fill: half of a core's first or second cache, or so much that they
// come from memory. `cache`: something between the last two.
enum class KernelPlace { l1, l2, cache, memory };

template <>
inline constexpr std::array<std::string_view, 4> kEnumNames<KernelPlace> = {"l1", "l2", "cache", "memory"};

// A kernel that works on arrays, and the storage types that it has; fp32 alone where it has none.
struct BenchKernel {
  std::string_view name;
  std::span<const Dtype> dtypes;
};
// All of them. Their names live as long as the program.
std::vector<BenchKernel> bench_kernel_list();

// One kernel on one thread. Long arrays are worked off in pieces of some 100 KiB, each call on the next one.
struct KernelBenchRequest {
  std::string kernel;  // of bench_kernel_list()
  Dtype dtype = Dtype::fp32;
  KernelPlace place = KernelPlace::memory;  // l1, l2 or memory
  std::size_t elements = 0;                 // of each array; 0: by place
  std::vector<std::string> isas;            // empty: every ISA that runs here
  int repetitions = 15;
};

// The kernel on one ISA.
struct KernelBenchResult {
  std::string isa;
  std::size_t elements = 0;  // of each array: what was asked for, rounded up to equal pieces of whole blocks
  KernelPlace place = KernelPlace::memory;
  double median_ns = 0;  // of all elements once
  double ns_per_element = 0;
  double gb_per_s = 0;          // bytes read and written / median; an array updated in place counts twice
  double copy_gb_per_s = 0;     // the same for the machine's better copy, memcpy or a plain loop, of as many bytes
  double fraction_of_copy = 0;  // gb_per_s / copy_gb_per_s
  double speedup = 0;           // median of the ISA scalar by this one; 0 where there is no scalar
};

// A result for each ISA. Throws Error(invalid_argument, unsupported, out_of_memory).
std::vector<KernelBenchResult> bench_kernel(const KernelBenchRequest& request);

// Whole training steps on one batch of random examples with cross-entropy loss (a single output: mean squared error),
// as `halfstep train` runs them: fp16 has its dynamic loss scale.
struct StepBenchRequest {
  std::vector<std::size_t> widths;  // inputs, hidden layers, outputs: each from 1 to 2^20
  std::size_t batch = 0;            // at least 1
  Activation activation = Activation::relu;
  OptimizerOptions optimizer;
  double clip_norm = 1;  // 0: off
  std::vector<Dtype> precisions;
  std::vector<std::string> isas;  // "auto": the one that train takes; empty: every ISA that runs here with this math
  Math math = Math::portable;
  std::vector<int> threads;  // each at least 1
  int repetitions = 15;
};

// One stage of a step.
struct StepStageTime {
  double ns = 0;        // median of the repetitions with a clock between the stages
  double share = 0;     // of all stages together
  double bound_ns = 0;  // see below
};

// bound_ns: what the arithmetic peak and the memory bandwidth alone would need. It is the sum over the stages of
//   max(flop / peak, bytes read / read bandwidth, all bytes / update bandwidth)
// of a batch of B rows through layers of in x out. R: those of them that go through the network together, all unless
// they are many; P: weights; P': weights of all layers but the first; A: R x sum of the hidden widths; s: bytes of a
// stored element; q: 2 where the derivative of the activation needs its input (gelu, gelu_tanh, silu), else 1.
//
//   stage      flop    bytes read                            bytes written
//   forward    2 B P   s (R inputs + P)                      s q A + 4 R outputs
//   loss               4 R outputs                           s R outputs
//   dgrad      2 B P'  s (R outputs + P' + A)                s A
//   wgrad      2 B P   s (R inputs + 2 A + R outputs)        4 P *
//   update             4 P * + weights + state               weights + state + copies
//
//   *        only where gradients must wait until all are known: with a clip, or in fp16
//   weights  4 P of masters; without masters s P, the working weights
//   state    moments of P elements each (adam, adamw, muon: 2; lion, sgd with momentum: 1), and 2 P with kahan
//   copies   s (P + P'), the packed working weights; without masters s P'
//
// A stage is charged for each byte once, however often it needs it; not for biases, elementwise arithmetic, a second
// layout of the same numbers, or what it wrote itself. From what a stage reads, and from what it writes, the size of
// the caches is taken off first, since so much may be there already, or stay: a network that fits into the caches has
// no memory traffic at all. Each rule errs on the low side. Stages that overlapped could beat the sum.
struct StepBenchResult {
  Dtype precision = Dtype::bf16;
  std::string isa;
  int threads = 1;
  double median_ns = 0;        // of a step without any clock inside; its inputs are in place
  double samples_per_s = 0;    // batch / median
  double gflops = 0;           // flop of the products / median
  double input_ns = 0;         // gathering, standardising and rounding the batch: not in the median
  std::int64_t skipped = 0;    // steps whose update was withheld, of all that ran
  double peak_gflops = 0;      // the machine's, for this ISA and number of threads: the better of before and after
  double read_gb_per_s = 0;    // the machine's with that many threads, in the same repetitions
  double update_gb_per_s = 0;  // reading and writing in place
  double cache_bytes = 0;      // last-level and second-level caches of that many threads; infinity: unknown
  double bound_ns = 0;
  double fraction_of_bound = 0;       // bound_ns / median_ns
  StepStageTime stages[kStepStages];  // indexed by StepStage
};

// One result for each precision, ISA and number of threads; all of them are measured in turns, on one network a
// precision. Throws Error(invalid_argument, unsupported, out_of_memory).
std::vector<StepBenchResult> bench_step(const StepBenchRequest& request);

// Training steps with somebody who waits for those that are not finite, as a run of `halfstep train` has it, and
// without: in turns, of one trainer.
struct TracerBenchResult {
  Dtype precision = Dtype::bf16;
  std::string isa;
  int threads = 1;
  double off_ns = 0, on_ns = 0;  // of a step: lower quartiles of short windows
  double ratio = 0;              // on / off
  std::int64_t skipped = 0;      // steps, while the loss scale found its size
};

// One result for each precision, ISA and number of threads. Throws as bench_step does.
std::vector<TracerBenchResult> bench_tracer(const StepBenchRequest& request);

}  // namespace halfstep
