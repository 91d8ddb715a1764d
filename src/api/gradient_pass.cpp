// The public gradient pass over src/amp.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

#include "amp/gradient_pass.hpp"
#include "amp/tensor_scan.hpp"
#include "api/gradient_pass_impl.hpp"
#include "api/refuse.hpp"
#include "halfstep/error.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_arguments(std::span<const GradientTensor> gradients, float scale, const GradientClip& clip) {
  int exponent = 0;
  // Written so that NaN fails. The bounds keep the reciprocal an ordinary number.
  if (!(scale >= 0x1p-100f && scale <= 0x1p100f) || std::frexp(scale, &exponent) != 0.5f) {
    refuse_at("the loss scale must be a power of two", "loss_scale");
  }
  for (const double limit : {clip.norm, clip.tensor_norm, clip.value}) {
    if (!(limit >= 0)) refuse_at("a limit must be at least 0", "clip");
  }
  if (clip.norm > 0 && clip.tensor_norm > 0)
    refuse_at("clip by the norm of all or by that of each tensor, not both", "clip");
  for (const GradientTensor& t : gradients) {
    if (t.data == nullptr && t.elements > 0) refuse_at("a gradient without data", t.name);
  }
}

}  // namespace

GradientPass::GradientPass(int threads, const std::string& isa) {
  Options options;
  options.threads = threads;
  options.isa = isa;
  options.math = Math::native;  // no products here: every ISA has the same bits
  impl_ = std::make_unique<Impl>(options);
}
GradientPass::GradientPass(GradientPass&&) noexcept = default;
GradientPass::~GradientPass() = default;

CheckedGradients GradientPass::check(std::span<const GradientTensor> gradients, float loss_scale,
                                     const GradientClip& clip) {
  check_arguments(gradients, loss_scale, clip);
  CheckedGradients out;
  out.tensors_.assign(gradients.begin(), gradients.end());
  out.limit_ = static_cast<float>(clip.value > 0 ? clip.value * static_cast<double>(loss_scale) : kInfinity);
  const float inv_scale = 1 / loss_scale;  // exact: a power of two
  double squares = 0;
  const auto scans = scan_tensors(*impl_->machine.kernels, *impl_->machine.executor, gradients, out.limit_);
  for (std::size_t i = 0; i < scans.size(); ++i) {
    const double largest = static_cast<double>(scans[i].largest) * inv_scale;
    const bool finite = largest <= static_cast<double>(FLT_MAX);  // false for NaN
    if (!finite && out.finite_) out.first_bad_ = gradients[i].name;
    out.finite_ = out.finite_ && finite;
    const double sum = finite ? scans[i].squares : std::isnan(largest) ? largest : kInfinity;
    out.largest_ = std::isnan(out.largest_) || largest <= out.largest_ ? out.largest_ : largest;
    out.tensor_norms_.push_back(std::sqrt(sum) * inv_scale);
    squares += sum;
  }
  out.norm_ = std::sqrt(squares) * inv_scale;
  out.decide(clip, inv_scale);
  return out;
}

// All are applied or none: a factor that fp32 cannot hold stops the step as an infinity does.
void CheckedGradients::decide(const GradientClip& clip, float inv_scale) {
  bool apply = finite_;
  for (const double norm : tensor_norms_) {
    const double clipped = clip.tensor_norm > 0 ? norm : norm_;
    const GradientDecision decision =
        halfstep::decide(finite_, clipped, inv_scale, clip.tensor_norm > 0 ? clip.tensor_norm : clip.norm);
    apply = apply && decision.apply;
    coefficients_.push_back(decision.coefficient);
    multipliers_.push_back(decision.multiplier);
  }
  if (!finite_ || apply) return;
  const auto largest = std::max_element(tensor_norms_.begin(), tensor_norms_.end());
  first_bad_ = tensors_[static_cast<std::size_t>(largest - tensor_norms_.begin())].name;
  std::fill(coefficients_.begin(), coefficients_.end(), 1.0f);
  finite_ = false;
  norm_ = kInfinity;
}

}  // namespace halfstep
