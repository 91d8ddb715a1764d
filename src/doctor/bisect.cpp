#include "doctor/bisect.hpp"

#include <algorithm>

#include "amp/step_cause.hpp"
#include "doctor/rerun.hpp"
#include "halfstep/text.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

class Search {
 public:
  Search(const Capsule& capsule, const KernelTable& kernels, Executor& executor)
      : capsule_(capsule), kernels_(kernels), executor_(executor), dtypes_(layer_dtypes(capsule.model)) {}

  Bisection run() {
    // bf16 has fp32's range at fp16's cost: the first to try.
    for (const Dtype wide : {Dtype::bf16, Dtype::fp32}) {
      if (find_layers(wide)) break;
    }
    find_scale();
    out_.text = text();
    return std::move(out_);
  }

 private:
  using Layers = std::vector<bool>;

  // A scale that is too large is another matter: it can fall.
  bool is_finite(const Layers& lifted, Dtype wide) {
    Rerun rerun(capsule_, lift(lifted, wide), kernels_, executor_);
    ++out_.replays;
    const StepReport report = rerun.run();
    if (report.applied || !smaller_scale_helps(report.incident.cause)) return report.applied;
    ++out_.replays;
    return rerun.run(1).applied;
  }

  ModelSpec lift(const Layers& lifted, Dtype wide) const {
    ModelSpec model = capsule_.model;
    model.layer_precision = dtypes_;
    for (std::size_t i = 0; i < lifted.size(); ++i) {
      if (lifted[i]) model.layer_precision[i] = wide;
    }
    return model;
  }

  // One layer where one does; else from all of them those left out that are not needed.
  bool find_layers(Dtype wide) {
    std::vector<std::size_t> narrow;
    for (std::size_t i = 0; i < dtypes_.size(); ++i) {
      const bool wider = wide == Dtype::fp32 ? dtypes_[i] != Dtype::fp32 : dtypes_[i] == Dtype::fp16;
      if (wider) narrow.push_back(i);
    }
    Layers lifted(dtypes_.size(), false);
    for (const std::size_t i : narrow) lifted[i] = true;
    if (narrow.empty() || !is_finite(lifted, wide)) return false;
    if (is_finite(Layers(dtypes_.size(), false), wide)) return true;  // it is the scale alone
    for (const std::size_t i : narrow) {
      Layers one(dtypes_.size(), false);
      one[i] = true;
      if (!is_finite(one, wide)) continue;
      return found(one, wide);
    }
    for (const std::size_t i : narrow) {
      lifted[i] = false;
      if (!is_finite(lifted, wide)) lifted[i] = true;
    }
    return found(lifted, wide);
  }

  bool found(const Layers& lifted, Dtype wide) {
    for (std::size_t i = 0; i < lifted.size(); ++i) {
      if (lifted[i]) out_.lift.push_back({static_cast<std::int64_t>(i), wide});
    }
    out_.lift_helps = true;
    return true;
  }

  // With the layers that were found lifted.
  void find_scale() {
    constexpr float kLeast = 0x1p-24f;
    Layers lifted(dtypes_.size(), false);
    for (const LayerPrecision& l : out_.lift) lifted[static_cast<std::size_t>(l.layer)] = true;
    const Dtype wide = out_.lift.empty() ? Dtype::fp32 : out_.lift.front().precision;
    Rerun rerun(capsule_, lift(lifted, wide), kernels_, executor_);
    for (float scale = capsule_.loss_scale; scale >= kLeast; scale /= 2) {
      ++out_.replays;
      const StepReport report = rerun.run(scale);
      if (!report.applied && !smaller_scale_helps(report.incident.cause)) return;
      if (!report.applied) continue;
      out_.loss_scale = static_cast<double>(scale);
      return;
    }
  }

  std::string text() const {
    std::string layers;
    for (const LayerPrecision& l : out_.lift) {
      layers += (layers.empty() ? "" : ",") + std::to_string(l.layer) + "=" + std::string(name(l.precision));
    }
    const std::string scale = number_text(out_.loss_scale);
    const bool lower = out_.loss_scale > 0 && out_.loss_scale < static_cast<double>(capsule_.loss_scale);
    if (!out_.lift_helps && lower) return "the step is finite as it is at the loss scale " + scale;
    if (!out_.lift_helps && out_.loss_scale > 0) return "the step is finite when it is run again";
    if (!out_.lift_helps) return "the step is not finite in fp32 either: no precision saves it";
    std::string text = "the step is finite with ";
    if (out_.lift.size() == dtypes_.size()) {
      const std::string dtype(name(out_.lift.front().precision));
      text += "--precision " + dtype + ", and with fewer layers in " + dtype + " it is not";
    } else {
      text += "--layer-precision " + layers;
    }
    if (lower) text += ", and a loss scale of " + scale + " or less";
    return text;
  }

  const Capsule& capsule_;
  const KernelTable& kernels_;
  Executor& executor_;
  std::vector<Dtype> dtypes_;
  Bisection out_;
};

}  // namespace

Bisection bisect(const Capsule& capsule, const KernelTable& kernels, Executor& executor) {
  return Search(capsule, kernels, executor).run();
}

}  // namespace halfstep::internal
