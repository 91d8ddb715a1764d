// Networks beside a plain double MLP: what tests of gradients share.
#pragma once
#include <doctest/doctest.h>

#include "base/fp_env.hpp"
#include "gemm/gemm.hpp"
#include "support/mismatches.hpp"
#include "support/model.hpp"

namespace halfstep::test {

using namespace internal;

inline constexpr LossKind kEachLoss[] = {LossKind::cross_entropy, LossKind::binary_cross_entropy, LossKind::mse,
                                         LossKind::huber};

// Norm and dropout of one row of this table after another.
struct Rows {
  Norm norm;
  double dropout;
  bool residual = false;
};
inline constexpr Rows kRows[] = {{Norm::layer, 0},   {Norm::rms, 0},     {Norm::batch, 0},   {Norm::none, 0.25},
                                 {Norm::layer, 0.5}, {Norm::rms, 0.125}, {Norm::batch, 0.25}};

inline constexpr std::uint64_t kMask = 7;  // the number of the step, for dropout

inline ReferenceMlp reference_of(const Network& model) {
  ReferenceMlp reference;
  reference.widths = model.shape().widths;
  reference.activation = model.shape().activation;
  reference.norm = model.shape().norm;
  reference.residual = model.shape().residual;
  for (const NamedTensor& t : model.tensors()) {
    if (t.name.find(".running_") != std::string::npos) continue;
    auto& list = t.shape.size() == 2          ? reference.weights
                 : t.name.ends_with(".bias")  ? reference.biases
                 : t.name.ends_with(".gamma") ? reference.gammas
                                              : reference.betas;
    list.emplace_back(t.values.begin(), t.values.end());
  }
  return reference;
}

// Which outputs the step kMask keeps, by the rule of nn/mlp.cpp and kernels/table.hpp.
inline void set_dropout(ReferenceMlp& reference, const NetworkShape& shape, std::size_t rows) {
  const auto dropped = static_cast<std::uint32_t>(shape.dropout * 65536);
  for (std::size_t l = 0; l + 2 < shape.widths.size(); ++l) {
    const std::size_t width = shape.widths[l + 1];
    std::vector<double> factors;
    for (std::size_t i = 0; i < rows * width; ++i) {
      const std::size_t place = i / width * round_up(width, kRandomGroup) + i % width;
      const bool keep = random16({shape.mask_seed, kMask << 24 | l << 2 | 3, 0}, place) >= dropped;
      factors.push_back(keep ? 65536.0 / (65536 - dropped) : 0);
    }
    reference.dropout.push_back(factors);
  }
}

inline ReferenceMlp::Gradients expected_of(const Network& model, const Examples& e) {
  ReferenceMlp reference = reference_of(model);
  if (model.shape().dropout > 0) set_dropout(reference, model.shape(), e.rows);
  return reference.gradients(LossKind::cross_entropy, {e.x.begin(), e.x.end()}, e.rows, e.reference());
}

// A model whose biases are not zero, and whose gamma and beta are not 1 and 0.
inline void start(Network& model, const KernelTable& kernels) {
  model.initialise(11, kernels);
  for (Parameter* p : model.parameters()) {
    if (p->is_matrix() || !p->is_trained()) continue;
    const std::size_t n = p->elements();
    const AlignedBuffer<float> noise = random_floats(n, 90, 0.3f);
    const bool is_bias = p->name.ends_with(".bias");
    for (std::size_t o = 0; o < n; ++o) p->master[o] += is_bias ? noise[o] : noise[n - 1 - o];
  }
  model.pack_all(kernels);
}

inline double run(GemmContext& ctx, Network& model, LossKind kind, const Examples& e, float scale, bool accumulate) {
  const FpEnvGuard guard;
  model.forward(ctx, e.rows, kMask);
  const LogitsView logits = {model.logits(), model.logits_ld(), e.outputs, e.rows};
  const LossGradient gradient = {model.logits_gradient().d, model.logits_gradient().sums, model.logits_ld()};
  const double loss =
      evaluate_loss(*make_loss(kind, 1.0), ctx.kernels, ctx.executor, logits, e.targets(), scale, &gradient);
  model.backward(ctx, e.rows, accumulate);
  return loss;
}

// One tensor's gradient against the reference times `factor`. In fp32 each element counts; in 16 bits the whole tensor
// does, because a rounding may carry single values of a ReLU over its kink.
class Comparison {
 public:
  Comparison(bool each, double factor, double tolerance) : each_(each), factor_(factor), tolerance_(tolerance) {}
  void see(float got, double reference) {
    const double want = reference * factor_, error = std::fabs(got - want);
    worst_ = !(error <= worst_) ? error : worst_;
    largest_ = std::max(largest_, std::fabs(want));
    errors_ += error * error;
    squares_ += want * want;
  }
  double squares() const { return squares_; }
  void check(Mismatches& wrong, const std::string& what) const {
    const bool ok = each_ ? worst_ <= tolerance_ * largest_ : std::sqrt(errors_) <= tolerance_ * std::sqrt(squares_);
    if (!ok) {
      wrong.add(what, ": worst error ", worst_, " of at most ", largest_, ", norm of errors ", std::sqrt(errors_),
                " of ", std::sqrt(squares_));
    }
  }

 private:
  bool each_;
  double factor_, tolerance_, worst_ = 0, largest_ = 0, errors_ = 0, squares_ = 0;
};

inline void compare(Mismatches& wrong, const std::string& what, Network& model, const ReferenceMlp::Gradients& expected,
                    double factor, double tolerance, bool each) {
  const bool over_batch = model.shape().norm == Norm::batch;
  for (const Parameter* p : model.trained()) {
    const auto& of_kind = p->is_matrix()                ? expected.weights
                          : p->name.ends_with(".bias")  ? expected.biases
                          : p->name.ends_with(".gamma") ? expected.gammas
                                                        : expected.betas;
    const bool cancels = over_batch && p->name.ends_with(".bias") && p->block + 1 < model.blocks();
    Comparison comparison(each, factor, tolerance);
    double squares = 0, sum = 0;
    for (std::size_t i = 0; i < p->elements(); ++i) {
      const std::size_t at = p->is_matrix() ? p->strips.offset(i / p->strips.in, i % p->strips.in) : i;
      const float got = p->gradient[at];
      comparison.see(got, of_kind[p->block][i]);
      squares += static_cast<double>(got) * static_cast<double>(got);
    }
    if (!cancels) comparison.check(wrong, what + " " + p->name);
    for (std::size_t i = 0; cancels && i < p->size(); ++i) {
      if (p->gradient[i] != 0) wrong.add(what, " ", p->name, " has a gradient that cancels");
    }
    for (const double block : p->squares) sum += block;
    if (!(std::fabs(sum - squares) <= 1e-5 * squares))
      wrong.add(what, " ", p->name, " squares ", sum, " not ", squares);
  }
}

}  // namespace halfstep::test
