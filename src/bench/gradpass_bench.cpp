#include <algorithm>

#include "base/arena.hpp"
#include "base/dtype.hpp"
#include "base/float16.hpp"
#include "base/rng.hpp"
#include "bench/bandwidth.hpp"
#include "bench/timing.hpp"
#include "halfstep/bench.hpp"
#include "halfstep/error.hpp"
#include "halfstep/gradients.hpp"
#include "kernels/dispatch.hpp"
#include "parallel/executor.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr std::size_t kLeastMemory = std::size_t{1} << 20;  // that a bandwidth can be measured on

// One tensor with everything an update needs but its moments. Weights start at zero.
struct Tensor {
  std::size_t elements;
  AlignedBuffer<std::byte> gradient, working;
  AlignedBuffer<float> master;

  explicit Tensor(const GradPassBenchRequest& r)
      : elements(r.elements),
        gradient(std::max(kLeastMemory, r.elements * size_of(r.gradient))),
        working(r.elements * 2) {
    if (r.optimizer.master == MasterKind::fp32) master = AlignedBuffer<float>(elements);
    const Rng rng(1, 1);
    constexpr std::size_t kPeriod = 4099;  // drawing every element would take longer than the benchmark
    for (std::size_t i = 0; i < elements; ++i) put(r.gradient, i, rng.uniform(i % kPeriod) - 0.5f);
  }
  void put(Dtype dtype, std::size_t i, float value) {
    if (dtype == Dtype::fp32) reinterpret_cast<float*>(gradient.data())[i] = value;
    if (dtype == Dtype::bf16) reinterpret_cast<Bf16*>(gradient.data())[i] = to_bf16(value);
    if (dtype == Dtype::fp16) reinterpret_cast<Fp16*>(gradient.data())[i] = to_fp16(value);
  }
  // What the bandwidth is measured on. A word changed by the loop would be an error of the loop.
  std::span<std::byte> memory() { return {gradient.data(), gradient.size()}; }
};

struct Traffic {
  double read, all;  // bytes
};

// State is read and written, weights too; the working copy beside a master is only written.
Traffic update_traffic(const GradPassBenchRequest& r, std::size_t state_bytes) {
  const bool master = r.optimizer.master == MasterKind::fp32;
  const auto n = static_cast<double>(r.elements);
  const double kept = n * (master ? 4 : 2) + static_cast<double>(state_bytes);
  const double read = n * static_cast<double>(size_of(r.gradient)) + kept;
  return {read, read + kept + (master ? 2 * n : 0)};
}

GradPassBenchResult result_of(const std::vector<double>& seconds, const Traffic& traffic, const Bandwidth& machine) {
  GradPassBenchResult r;
  const bool writes = traffic.all > traffic.read;
  r.median_ns = 1e9 * median(seconds);
  r.gb_per_s = traffic.all / r.median_ns;
  r.read_gb_per_s = machine.read;
  r.update_gb_per_s = machine.update;
  r.bound_ns = std::max(traffic.read / machine.read, writes ? traffic.all / machine.update : 0);
  r.fraction_of_bandwidth = r.bound_ns / r.median_ns;
  return r;
}

// Read, update and bandwidth in turns.
std::vector<GradPassBenchResult> measure(const GradPassBenchRequest& request, Tensor& tensor, const std::string& isa,
                                         int threads) {
  GradientPass pass(threads, isa);
  const bool master = request.optimizer.master == MasterKind::fp32;
  const WeightTensor weights{master ? tensor.master.data() : nullptr, tensor.working.data(), tensor.elements,
                             Dtype::bf16};
  FusedUpdate update(pass, request.optimizer, {&weights, 1});
  const GradientTensor gradient{"gradient", tensor.gradient.data(), tensor.elements, request.gradient};
  std::vector<double> read, write;
  std::vector<TimedCase> cases(2);
  cases[0].run = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) (void)pass.check({&gradient, 1}, 1024, {.norm = 1});
  };
  // The update comes without the check that belongs to it: its time is taken inside.
  std::vector<double> update_seconds;
  cases[1].window = 0;
  cases[1].run = [&](std::size_t) {
    const Bandwidth machine = measure_bandwidth(tensor.memory(), threads);
    read.push_back(machine.read);
    write.push_back(machine.update);
    CheckedGradients checked = pass.check({&gradient, 1}, 1024, {.norm = 1});
    const double start = seconds_now();
    update.apply(std::move(checked), 1e-3);
    update_seconds.push_back(seconds_now() - start);
  };
  time_interleaved(cases, request.repetitions);
  const Bandwidth machine{median(read), median(write)};
  const double gradient_bytes = static_cast<double>(request.elements * size_of(request.gradient));
  std::vector<GradPassBenchResult> results = {
      result_of(cases[0].seconds, {gradient_bytes, gradient_bytes}, machine),
      result_of(update_seconds, update_traffic(request, update.memory_bytes()), machine)};
  results[1].update = true;
  for (GradPassBenchResult& r : results) {
    r.isa = isa;
    r.threads = threads;
  }
  return results;
}

}  // namespace

std::vector<GradPassBenchResult> bench_gradpass(const GradPassBenchRequest& request) {
  if (request.elements < 1 || request.elements > std::size_t{1} << 40) {
    throw Error(Status::invalid_argument, {.what = "elements must be from 1 to 2^40",
                                           .where = std::to_string(request.elements),
                                           .why = {},
                                           .kept = {},
                                           .hint = "--elements 10000000"});
  }
  std::vector<std::string> names = request.isas;
  if (names.empty()) {
    for (const IsaState& isa : isas()) {
      if (isa.runnable) names.push_back(isa.name);
    }
  }
  for (const std::string& isa : names) select_isa(isa, Math::native);  // wrong names are refused before memory is taken
  Tensor tensor(request);
  std::vector<GradPassBenchResult> results;
  for (const std::string& isa : names) {
    for (const int threads : request.threads) {
      for (GradPassBenchResult& r : measure(request, tensor, isa, threads)) results.push_back(std::move(r));
    }
  }
  return results;
}

}  // namespace halfstep
