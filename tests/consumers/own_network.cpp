// A network of the program's own, from halfstep's single operations: products in bf16 with what follows them, checked
// gradients, a fused update. Two layers learn which of two numbers is larger; fails where they do not.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <halfstep/halfstep.hpp>
#include <vector>

using namespace halfstep;

namespace {

constexpr std::size_t kRows = 256, kIn = 16, kHidden = 32, kClasses = 2;
constexpr float kLossScale = 1024;

Matrix view(const std::vector<float>& x, std::size_t rows) { return {x.data(), rows, x.size() / rows}; }
MutableMatrix target(std::vector<float>& x, std::size_t rows) { return {x.data(), rows, x.size() / rows}; }

// Row-major [outputs][inputs], and the gradient of the loss by it.
struct Weights {
  std::vector<float> values, gradient;
  Weights(std::size_t outputs, std::size_t inputs) : values(outputs * inputs), gradient(values.size()) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = std::sin(static_cast<float>(i * i)) / std::sqrt(static_cast<float>(inputs));
    }
  }
};

}  // namespace

int main() {
  std::vector<float> x(kRows * kIn);
  std::vector<std::int32_t> labels(kRows);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i * i % 1013));
  for (std::size_t r = 0; r < kRows; ++r) labels[r] = x[r * kIn] > x[r * kIn + 1] ? 1 : 0;

  Operations ops;
  Weights first(kHidden, kIn), second(kClasses, kHidden);
  GradientPass pass(1);
  const WeightTensor tensors[] = {{.master = first.values.data(), .elements = first.values.size()},
                                  {.master = second.values.data(), .elements = second.values.size()}};
  FusedUpdate update(pass, {.kind = OptimizerKind::adamw}, tensors);

  std::vector<float> z(kRows * kHidden), hidden(z.size()), d_hidden(z.size());
  std::vector<float> logits(kRows * kClasses), d_logits(logits.size());
  double loss = 0;
  for (int step = 0; step < 200; ++step) {
    ops.multiply(view(x, kRows), ops.pack(Dtype::bf16, view(first.values, kHidden)), target(z, kRows));
    ops.activate(Activation::gelu, view(z, kRows), target(hidden, kRows));
    ops.multiply(view(hidden, kRows), ops.pack(Dtype::bf16, view(second.values, kClasses)), target(logits, kRows));
    loss = ops.cross_entropy(view(logits, kRows), labels, kLossScale / kRows, target(d_logits, kRows)) / kRows;

    ops.gemm(Dtype::bf16, view(d_logits, kRows), Transpose::yes, view(hidden, kRows), Transpose::no,
             target(second.gradient, kClasses));
    ops.gemm(Dtype::bf16, view(d_logits, kRows), Transpose::no, view(second.values, kClasses), Transpose::no,
             target(d_hidden, kRows));
    ops.differentiate(Activation::gelu, view(z, kRows), view(d_hidden, kRows), target(d_hidden, kRows));
    ops.gemm(Dtype::bf16, view(d_hidden, kRows), Transpose::yes, view(x, kRows), Transpose::no,
             target(first.gradient, kHidden));

    const GradientTensor gradients[] = {{"first", first.gradient.data(), first.gradient.size(), Dtype::fp32},
                                        {"second", second.gradient.data(), second.gradient.size(), Dtype::fp32}};
    update.apply(pass.check(gradients, kLossScale, {.norm = 1}), 0.01);
  }
  std::printf("loss %.4f after %lld steps\n", loss, static_cast<long long>(update.steps()));
  return loss < 0.1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
