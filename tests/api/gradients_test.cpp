// The public gradient pass and update: what an embedding program sees.
#include "halfstep/gradients.hpp"

#include <doctest/doctest.h>

#include <cfloat>
#include <cmath>
#include <limits>

#include "base/fp_env.hpp"
#include "halfstep/error.hpp"
#include "optim/optimizer.hpp"
#include "support/effort.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr float kScale = 1024;

// Tensors of a ragged model: scaled gradients in one dtype, masters and bf16 working copies. Each gradient starts one
// element into its memory, so that nothing is aligned to more than an element.
struct Tensors {
  std::vector<std::size_t> sizes;
  Dtype dtype;
  std::vector<AlignedBuffer<std::byte>> gradients;
  std::vector<AlignedBuffer<float>> masters;
  std::vector<AlignedBuffer<std::uint16_t>> working;

  explicit Tensors(Dtype type, std::vector<std::size_t> s = {1, 15, 17, 1000, 5001})
      : sizes(std::move(s)), dtype(type) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      gradients.emplace_back((sizes[i] + 1) * size_of(dtype));
      masters.push_back(random_floats(sizes[i], 300 + i));
      working.emplace_back(sizes[i]);
      for (std::size_t j = 0; j < sizes[i]; ++j) working[i][j] = to_bf16(masters[i][j]).bits;
    }
    fill(0);
  }
  void fill(std::size_t step) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const AlignedBuffer<float> values = random_floats(sizes[i], 400 + 10 * step + i, kScale);
      for (std::size_t j = 0; j < sizes[i]; ++j) set(i, j, values[j]);
    }
  }
  void set(std::size_t i, std::size_t j, float value) { put(dtype, gradients[i].data(), j + 1, value); }
  float at(std::size_t i, std::size_t j) const { return get(dtype, gradients[i].data(), j + 1); }
  std::vector<GradientTensor> gradient_list() const {
    std::vector<GradientTensor> list;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      list.push_back({"tensor" + std::to_string(i), gradients[i].data() + size_of(dtype), sizes[i], dtype});
    }
    return list;
  }
  std::vector<WeightTensor> weight_list(bool with_master = true) {
    std::vector<WeightTensor> list;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      list.push_back({with_master ? masters[i].data() : nullptr, working[i].data(), sizes[i], Dtype::bf16});
    }
    return list;
  }
  // Everything an update may write.
  std::vector<std::uint32_t> state() const {
    std::vector<std::uint32_t> words;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      for (std::size_t j = 0; j < sizes[i]; ++j) words.insert(words.end(), {bits_of(masters[i][j]), working[i][j]});
    }
    return words;
  }
  std::vector<std::byte> gradient_bytes() const {
    std::vector<std::byte> all;
    for (const auto& g : gradients) all.insert(all.end(), g.begin(), g.end());
    return all;
  }
};

// 1 ulp of fp32 at `want`.
bool within_ulp(double got, float want) {
  return std::fabs(got - static_cast<double>(want)) <= static_cast<double>(std::nextafter(want, kInf) - want);
}

// torch.nn.utils.clip_grad_norm_(parameters, 1.0) of PyTorch 2.13 on three parameters of 1000, 17 and 4097 elements
// whose gradients are the fp32 values of size * (((7919 i + 104729 k) % 1000003) / 1000003 - 0.5): the norm that it
// returns, min(1, 1 / (norm + 1e-6)), and parameter.grad.norm() of each before.
struct Clipped {
  double size;
  float norm, coefficient, norms[3];
};
constexpr Clipped kClipped[] = {
    {1.0, 20.5405998f, 0.0486840643f, {9.05861092f, 1.3778553f, 18.3836708f}},
    {1e-3, 0.0205406025f, 1.0f, {0.00905861054f, 0.00137785531f, 0.0183836725f}},
    {30.0, 616.218079f, 0.00162280211f, {271.758301f, 41.335659f, 551.510193f}},
};

TEST_CASE("gradients: norms and coefficients are PyTorch's to one ulp of fp32") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    GradientPass pass(2, kernels.name);
    for (const Clipped& c : kClipped) {
      Tensors t(Dtype::fp32, {1000, 17, 4097});
      for (std::size_t k = 0; k < 3; ++k) {
        for (std::size_t i = 0; i < t.sizes[k]; ++i) {
          const double unit = static_cast<double>((i * 7919 + k * 104729) % 1000003) / 1000003 - 0.5;
          t.set(k, i, kScale * static_cast<float>(unit * c.size));
        }
      }
      const CheckedGradients checked = pass.check(t.gradient_list(), kScale, {.norm = 1});
      CHECK(checked.finite());
      CHECK(within_ulp(checked.norm(), c.norm));
      CHECK(within_ulp(static_cast<double>(checked.clip_coefficient()), c.coefficient));
      for (std::size_t k = 0; k < 3; ++k) CHECK(within_ulp(checked.tensor_norms()[k], c.norms[k]));
      const CheckedGradients each = pass.check(t.gradient_list(), kScale, {.tensor_norm = 0.5});
      for (std::size_t k = 0; k < 3; ++k) {
        const double coefficient = std::min(1.0, 0.5 / (static_cast<double>(c.norms[k]) + 1e-6));
        CHECK(static_cast<double>(each.clip_coefficient(k)) == doctest::Approx(coefficient).epsilon(2e-7).scale(0));
      }
    }
  });
}

TEST_CASE("gradients: one bad element anywhere changes nothing, clock and moments included") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    GradientPass pass(1, kernels.name);
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      Tensors t(dtype, {40, 19}), clean(dtype, {40, 19});
      FusedUpdate update(pass, {}, t.weight_list()), other(pass, {}, clean.weight_list());
      CHECK(update.apply(pass.check(t.gradient_list(), kScale), 0.01));
      CHECK(other.apply(pass.check(clean.gradient_list(), kScale), 0.01));
      for (std::size_t i = 0; i < 2; ++i) {
        for (std::size_t j = 0; j < t.sizes[i]; ++j) {
          for (float bad : {kNan, kInf, -kInf}) {
            for (const GradientClip& clip :
                 {GradientClip{}, GradientClip{.norm = 1, .value = 1}, GradientClip{.tensor_norm = 1}}) {
              const float before = t.at(i, j);
              const auto state = t.state();
              t.set(i, j, bad);
              const auto bytes = t.gradient_bytes();
              CheckedGradients checked = pass.check(t.gradient_list(), kScale, clip);
              if (checked.finite() || std::isfinite(checked.norm()) || checked.clip_coefficient() != 1.0f ||
                  checked.first_bad() != "tensor" + std::to_string(i)) {
                wrong.add(kernels.name, " missed ", bad, " in tensor ", i, " at ", j);
              }
              if (update.apply(std::move(checked), 0.01) || update.steps() != 1) wrong.add("applied ", bad);
              if (t.state() != state || t.gradient_bytes() != bytes) wrong.add("changed by ", bad, " at ", j);
              t.set(i, j, before);
            }
          }
        }
      }
      // The moments are not to be seen from outside, but the next step depends on them.
      CHECK(update.apply(pass.check(t.gradient_list(), kScale), 0.01));
      CHECK(other.apply(pass.check(clean.gradient_list(), kScale), 0.01));
      CHECK(t.state() == clean.state());
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("gradients: large and small finite ones are no false alarm") {
  GradientPass pass(1);
  Tensors t(Dtype::fp32, {1000});
  for (float size : {1e20f, 3e38f, 1e-30f}) {
    for (std::size_t i = 0; i < 1000; ++i) t.set(0, i, size);
    const CheckedGradients checked = pass.check(t.gradient_list(), 1);
    CHECK(checked.finite());
    CHECK(checked.norm() == doctest::Approx(std::sqrt(1000.0) * static_cast<double>(size)).epsilon(1e-12).scale(0));
    CHECK(checked.largest() == static_cast<double>(size));
  }
  // 300 squared overflows fp16 (Flashlight's norm in the gradient's dtype).
  Tensors half(Dtype::fp16, {1000});
  for (std::size_t i = 0; i < 1000; ++i) half.set(0, i, 300);
  CHECK(pass.check(half.gradient_list(), 1).norm() == doctest::Approx(300 * std::sqrt(1000.0)));
  CHECK(pass.check({}, 1).norm() == 0);
  CHECK(pass.check({}, 1).finite());
}

TEST_CASE("gradients: what a scale below 1 makes infinite is not finite (pytorch#96755)") {
  GradientPass pass(1);
  Tensors t(Dtype::fp32, {20, 20});
  FusedUpdate update(pass, {}, t.weight_list());
  t.set(1, 7, 2e38f);
  CHECK(pass.check(t.gradient_list(), 1).finite());
  const auto state = t.state();
  CheckedGradients checked = pass.check(t.gradient_list(), 0.25f, {.value = 1});
  CHECK_FALSE(checked.finite());
  CHECK(checked.first_bad() == "tensor1");
  CHECK_FALSE(std::isfinite(checked.norm()));
  CHECK_FALSE(update.apply(std::move(checked), 0.01));
  CHECK(t.state() == state);
}

TEST_CASE("gradients: what no factor of fp32 can clip is not applied") {
  GradientPass pass(1);
  Tensors t(Dtype::fp32, {20, 100});
  FusedUpdate update(pass, {}, t.weight_list());
  for (std::size_t i = 0; i < 100; ++i) t.set(1, i, 3e38f);
  CHECK(pass.check(t.gradient_list(), 1).finite());
  CHECK(pass.check(t.gradient_list(), 1, {.norm = 100}).finite());
  for (const GradientClip clip : {GradientClip{.norm = 1}, GradientClip{.tensor_norm = 1}}) {
    const auto state = t.state();
    CheckedGradients checked = pass.check(t.gradient_list(), 1, clip);
    CHECK_FALSE(checked.finite());
    CHECK(checked.first_bad() == "tensor1");
    CHECK_FALSE(std::isfinite(checked.norm()));
    CHECK(checked.clip_coefficient(1) == 1);
    CHECK_FALSE(update.apply(std::move(checked), 0.01));
    CHECK(t.state() == state);
  }
}

// The textbook order on plain numbers: unscale, clip by value, norm, clip by norm.
std::vector<std::vector<float>> clipped(const Tensors& t, const GradientClip& clip) {
  std::vector<std::vector<double>> all;
  std::vector<double> norms;
  double total = 0;
  for (std::size_t i = 0; i < t.sizes.size(); ++i) {
    double squares = 0;
    all.emplace_back();
    for (std::size_t j = 0; j < t.sizes[i]; ++j) {
      double g = static_cast<double>(t.at(i, j)) / static_cast<double>(kScale);
      if (clip.value > 0) g = std::fmin(std::fmax(g, -clip.value), clip.value);
      all.back().push_back(g);
      squares += g * g;
    }
    norms.push_back(std::sqrt(squares));
    total += squares;
  }
  std::vector<std::vector<float>> out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double limit = clip.tensor_norm > 0 ? clip.tensor_norm : clip.norm;
    const double norm = clip.tensor_norm > 0 ? norms[i] : std::sqrt(total);
    const double coefficient = limit > 0 ? std::min(1.0, limit / (norm + 1e-6)) : 1;
    out.emplace_back();
    for (double g : all[i]) out.back().push_back(static_cast<float>(g * coefficient));
  }
  return out;
}

TEST_CASE("gradients: the update is that of the gradient unscaled and clipped in the textbook order") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    Mismatches wrong;
    GradientPass pass(2, kernels.name);
    for (Dtype dtype : kEachDtype) {
      for (const GradientClip& clip : {GradientClip{}, GradientClip{.norm = 3}, GradientClip{.value = 0.2},
                                       GradientClip{.norm = 3, .value = 0.5}, GradientClip{.tensor_norm = 0.7}}) {
        Tensors t(dtype);
        const Tensors before(dtype);
        FusedUpdate update(pass, {.kind = OptimizerKind::sgd, .momentum = 0, .weight_decay = 0}, t.weight_list());
        const auto expected = clipped(t, clip);
        CHECK(update.apply(pass.check(t.gradient_list(), kScale, clip), 0.5));
        for (std::size_t i = 0; i < t.sizes.size(); ++i) {
          for (std::size_t j = 0; j < t.sizes[i]; ++j) {
            const double want = static_cast<double>(before.masters[i][j]) - 0.5 * static_cast<double>(expected[i][j]);
            if (!(std::fabs(static_cast<double>(t.masters[i][j]) - want) <= 3e-7)) {
              wrong.add(kernels.name, " tensor ", i, " at ", j, ": ", t.masters[i][j], " not ", want);
            }
            if (t.working[i][j] != to_bf16(t.masters[i][j]).bits) wrong.add("working copy at ", j);
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("gradients: the same bits at any number of threads, on every ISA, in every mode") {
  auto run = [](int threads, const std::string& isa, MasterKind master, Dtype moments) {
    GradientPass pass(threads, isa);
    Tensors t(Dtype::bf16, {300000, 17, 70000});
    FusedUpdate update(pass, {.moments = moments, .master = master, .seed = 9},
                       t.weight_list(master == MasterKind::fp32));
    std::vector<double> norms;
    for (std::size_t step = 0; step < 3; ++step) {
      t.fill(step);
      CheckedGradients checked = pass.check(t.gradient_list(), kScale, {.norm = 1});
      norms.push_back(checked.norm());
      CHECK(update.apply(std::move(checked), 0.01));
    }
    return std::pair(t.state(), norms);
  };
  for (MasterKind master : {MasterKind::fp32, MasterKind::kahan, MasterKind::stochastic}) {
    for (Dtype moments : {Dtype::fp32, Dtype::bf16}) {
      const auto expected = run(1, isas().front().name, master, moments);
      for_each_runnable_isa([&](const KernelTable& kernels) {
        if (test_effort() == 1) CHECK((run(1, kernels.name, master, moments) == expected));
        CHECK((run(3, kernels.name, master, moments) == expected));
      });
    }
  }
}

TEST_CASE("gradients: what does not make sense is refused") {
  GradientPass pass(1);
  Tensors t(Dtype::fp32, {20}), other(Dtype::fp32, {21});
  for (float scale : {0.0f, -1.0f, 3.0f, kInf, kNan}) CHECK_THROWS_AS(pass.check(t.gradient_list(), scale), Error);
  for (const GradientClip& clip : {GradientClip{.norm = -1}, GradientClip{.value = static_cast<double>(kNan)},
                                   GradientClip{.norm = 1, .tensor_norm = 1}}) {
    CHECK_THROWS_AS(pass.check(t.gradient_list(), 1, clip), Error);
  }
  CHECK_THROWS_AS(pass.check(std::vector<GradientTensor>{{"a", nullptr, 3, Dtype::fp32}}, 1), Error);
  CHECK_THROWS_AS(FusedUpdate(pass, {}, t.weight_list(false)), Error);
  CHECK_THROWS_AS(FusedUpdate(pass, {.kind = OptimizerKind::muon}, t.weight_list()), Error);
  CHECK_THROWS_AS(FusedUpdate(pass, {}, std::vector<WeightTensor>{{nullptr, nullptr, 3, Dtype::bf16}}), Error);
  CHECK_THROWS_AS(GradientPass(1, "pentium"), Error);
  constexpr auto kNotANumber = std::numeric_limits<double>::quiet_NaN();
  for (const OptimizerOptions& wrong :
       {OptimizerOptions{.momentum = 1}, OptimizerOptions{.beta1 = -0.1}, OptimizerOptions{.beta2 = 1},
        OptimizerOptions{.beta2 = kNotANumber}, OptimizerOptions{.epsilon = 0}, OptimizerOptions{.epsilon = 1e-60},
        OptimizerOptions{.weight_decay = -1}, OptimizerOptions{.weight_decay = kNotANumber}}) {
    CHECK_THROWS_AS(FusedUpdate(pass, wrong, t.weight_list()), Error);
  }
  FusedUpdate update(pass, {}, t.weight_list());
  CHECK_THROWS_AS(update.apply(pass.check(other.gradient_list(), kScale), 0.1), Error);
  for (double rate : {-1.0, kNotANumber, std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_AS(update.apply(pass.check(t.gradient_list(), kScale), rate), Error);
  }
  // Used up by an update: there is no second one.
  CheckedGradients checked = pass.check(t.gradient_list(), kScale);
  CHECK(update.apply(std::move(checked), 0.1));
  CHECK_THROWS_AS(update.apply(std::move(checked), 0.1), Error);
  CHECK(update.steps() == 1);
}

}  // namespace
