// How far activations and their derivatives are from the true value, in units of the last place (ulp) of fp32. Prints
// the table of tests/README.md; HALFSTEP_TEST_EFFORT=exhaustive takes all 2^32 inputs.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <thread>

#include "base/fp_env.hpp"
#include "parallel/executor.hpp"
#include "support/isa_loop.hpp"
#include "support/numbers.hpp"
#include "support/reference.hpp"
#include "support/sweep.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr double kLeastNormal = 0x1p-126, kLargest = 0x1.fffffep127;
constexpr std::size_t kBlock = 1 << 16;

// What the kernels compute: the value, and the size whose last place counts.
struct Truth {
  double value, size;
};

Truth forward_truth(Activation activation, double x) {
  const double y = reference_activation(activation, x);
  return {y, std::fabs(y)};
}

// The derivative by what BackwardEpilogue::saved holds. That of a gate x s(x) is s(x) + x s'(x) and crosses zero on the
// left; there the larger of the two terms gives the size.
Truth backward_truth(Activation activation, double saved) {
  const double slope = reference_slope(activation, saved);
  if (!derivative_needs_input(activation)) return {slope, std::fabs(slope)};
  const double gate = saved == 0 ? 0.5 : reference_activation(activation, saved) / saved;
  return {slope, std::max({std::fabs(slope), std::fabs(gate), std::fabs(slope - gate)})};
}

// Results below the least normal are flushed, so there a zero is right; a result that rounds up to the least normal is
// measured in its last place.
double ulps(float got, const Truth& truth) {
  if (got == 0 && std::fabs(truth.value) < kLeastNormal * (1 + 0x1p-22)) return 0;
  if (!std::isfinite(got)) return std::fabs(truth.value) > kLargest ? 0 : HUGE_VAL;
  return std::fabs(static_cast<double>(got) - truth.value) /
         std::ldexp(1.0, std::ilogb(std::max(truth.size, kLeastNormal)) - 23);
}

// Whether `saved` can be an output of the activation, where it is one.
bool can_be_saved(Activation activation, float saved) {
  switch (activation) {
    case Activation::relu:
    case Activation::softplus:
      return saved >= 0;
    case Activation::elu:
      return saved >= -1;
    case Activation::selu:
      return saved >= -1.75809932f;
    case Activation::sigmoid:
      return saved >= 0 && saved <= 1;
    case Activation::tanh:
      return std::fabs(saved) <= 1;
    default:
      return true;
  }
}

// Finite inputs in blocks; kernels take subnormal ones for zero.
class Inputs {
 public:
  Inputs() : some_(exhaustive() ? AlignedBuffer<float>() : sweep()) {}
  std::size_t blocks() const {
    return exhaustive() ? (std::size_t{1} << 32) / kBlock : (some_.size() + kBlock - 1) / kBlock;
  }
  std::size_t read(std::size_t block, float* x) const {
    const std::size_t first = block * kBlock;
    if (!exhaustive()) {
      const std::size_t n = std::min(kBlock, some_.size() - first);
      std::copy_n(some_.data() + first, n, x);
      return n;
    }
    std::size_t n = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      x[n] = float_of(static_cast<std::uint32_t>(first + i));
      if (std::fabs(x[n]) < static_cast<float>(kLeastNormal)) x[n] = 0;
      n += std::isfinite(x[n]) ? 1 : 0;
    }
    return n;
  }

 private:
  AlignedBuffer<float> some_;
};

struct Worst {
  double ulps = 0;
  float at = 0;
  void see(const Worst& other) {
    if (other.ulps > ulps || (ulps > 0 && other.ulps == ulps && other.at < at)) *this = other;
  }
};

enum class Direction { forward, backward };

// Error in the last place of a storage type of what is going to be rounded to it, 0 where it has no such number.
double storage_ulps(Dtype dtype, double got, const Truth& truth) {
  const bool half = dtype == Dtype::fp16;
  const double least = half ? 0x1p-14 : kLeastNormal, border = half ? 65519.0 : 0x1.fefffep127;
  if (std::fabs(truth.value) > border) return 0;
  if (!std::isfinite(got)) return HUGE_VAL;
  if (!half && got == 0 && std::fabs(truth.value) < kLeastNormal * (1 + 0x1p-9)) return 0;
  return std::fabs(got - truth.value) / std::ldexp(1.0, std::ilogb(std::max(truth.size, least)) - (half ? 10 : 7));
}

constexpr Dtype kRounded[] = {Dtype::bf16, Dtype::fp16};
struct Errors {
  Worst exact, rounded[2];  // of results that stay fp32; of those for kRounded, before they are rounded
};

void see_block(const KernelTable& kernels, Activation activation, Direction direction, std::size_t n, const float* x,
               const Truth* truth, Errors& errors) {
  std::vector<float> exact(n), rounded(n), one(n, 1.0f);
  {
    constexpr auto kFp32 = static_cast<std::size_t>(Dtype::fp32);
    constexpr auto kType = static_cast<std::size_t>(Dtype::bf16);  // fp16 is given the same (the test of signatures)
    const FpEnvGuard guard;
    if (direction == Direction::forward) {
      kernels.activate[kFp32](activation, n, x, exact.data());
      kernels.activate[kType](activation, n, x, rounded.data());
    } else {
      kernels.differentiate[kFp32](activation, n, x, one.data(), exact.data());
      kernels.differentiate[kType](activation, n, x, one.data(), rounded.data());
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    errors.exact.see({ulps(exact[i], truth[i]), x[i]});
    for (int k = 0; k < 2; ++k) {
      errors.rounded[k].see({storage_ulps(kRounded[k], static_cast<double>(rounded[i]), truth[i]), x[i]});
    }
  }
}

Errors errors_of(const std::vector<const KernelTable*>& tables, const Inputs& inputs, Activation activation,
                 Direction direction) {
  const auto executor = make_executor(static_cast<int>(std::thread::hardware_concurrency()), "threads");
  std::mutex mutex;
  Errors errors;
  executor->run(inputs.blocks(), [&](std::size_t block, int) {
    std::vector<float> x(kBlock);
    x.resize(inputs.read(block, x.data()));
    if (direction == Direction::backward) {
      std::erase_if(x, [&](float v) { return !can_be_saved(activation, v); });
    }
    std::vector<Truth> truth(x.size());
    std::transform(x.begin(), x.end(), truth.begin(), [&](float v) {
      const auto wide = static_cast<double>(v);
      return direction == Direction::forward ? forward_truth(activation, wide) : backward_truth(activation, wide);
    });
    Errors here;
    for (const KernelTable* kernels : tables) {
      see_block(*kernels, activation, direction, x.size(), x.data(), truth.data(), here);
    }
    const std::lock_guard lock(mutex);
    errors.exact.see(here.exact);
    for (int i = 0; i < 2; ++i) errors.rounded[i].see(here.rounded[i]);
  });
  return errors;
}

// Two thousandths of a last place of storage, before the half that rounding adds.
void check_rounded(const Errors& errors, Activation activation, const std::string& what) {
  for (int i = 0; i < 2; ++i) {
    const Worst& worst = errors.rounded[i];
    CHECK_MESSAGE(worst.ulps <= 0.002, std::string(name(kRounded[i])), " ", std::string(label(activation)), what,
                  worst.at, ": ", worst.ulps);
  }
}

TEST_CASE("kernels: activations and their derivatives within 2 ulp over the whole range") {
  std::vector<const KernelTable*> tables;
  for_each_runnable_isa([&](const KernelTable& kernels) { tables.push_back(&kernels); });
  if (exhaustive()) tables.erase(tables.begin(), tables.end() - 1);  // another test: all ISAs have the same bits
  const Inputs inputs;
  std::printf("| activation | forward, ulp | at | derivative, ulp | at |\n|---|---|---|---|---|\n");
  for (Activation activation : kEachActivation) {
    const Errors forward = errors_of(tables, inputs, activation, Direction::forward);
    const Errors backward = errors_of(tables, inputs, activation, Direction::backward);
    const Worst &y = forward.exact, &slope = backward.exact;
    std::printf("| %s | %.2f | %.9g | %.2f | %.9g |\n", label(activation), y.ulps, static_cast<double>(y.at),
                slope.ulps, static_cast<double>(slope.at));
    CHECK_MESSAGE(y.ulps <= 2, label(activation), " of ", y.at);
    CHECK_MESSAGE(slope.ulps <= 2, label(activation), "' at ", slope.at);
    check_rounded(forward, activation, " of ");
    check_rounded(backward, activation, "' at ");
  }
}

Worst worst_in_storage(const KernelTable& kernels, Dtype dtype, Activation activation, Direction direction) {
  const bool forward = direction == Direction::forward;
  std::vector<std::uint16_t> codes;
  std::vector<float> x;
  for (std::uint32_t code = 0; code < 0x10000; ++code) {
    const auto bits = static_cast<std::uint16_t>(code);
    float v = get(dtype, &bits, 0);
    if (std::fabs(v) < static_cast<float>(kLeastNormal)) v = 0;
    if (!std::isfinite(v) || (!forward && !can_be_saved(activation, v))) continue;
    codes.push_back(bits);
    x.push_back(v);
  }
  const auto type = static_cast<std::size_t>(dtype);
  std::vector<std::uint16_t> y(codes.size()), ones(codes.size(), dtype == Dtype::bf16 ? 0x3f80 : 0x3c00);
  {
    const FpEnvGuard guard;
    forward ? kernels.activate_stored[type](activation, codes.size(), codes.data(), y.data())
            : kernels.differentiate_stored[type](activation, codes.size(), codes.data(), ones.data(), y.data());
  }
  Worst worst;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto wide = static_cast<double>(x[i]);
    const Truth truth = forward ? forward_truth(activation, wide) : backward_truth(activation, wide);
    worst.see({storage_ulps(dtype, static_cast<double>(get(dtype, y.data(), i)), truth), x[i]});
  }
  return worst;
}

TEST_CASE("kernels: activations of every bf16 and fp16 number are within 0.502 ulp of storage") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    for (Dtype dtype : {Dtype::bf16, Dtype::fp16}) {
      for (Activation activation : kEachActivation) {
        for (Direction direction : {Direction::forward, Direction::backward}) {
          const Worst worst = worst_in_storage(kernels, dtype, activation, direction);
          CHECK_MESSAGE(worst.ulps <= 0.502, std::string(kernels.name), " ", name(dtype), " ",
                        std::string(label(activation)), std::string(direction == Direction::forward ? " of " : "' at "),
                        worst.at, ": ", worst.ulps);
        }
      }
    }
  });
}

}  // namespace
