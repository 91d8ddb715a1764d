#include "bench/step_bound.hpp"

#include <algorithm>

#include "bench/step_case.hpp"
#include "gemm/layout.hpp"
#include "optim/optimizer.hpp"

namespace halfstep::internal {
namespace {

// The letters of the table in halfstep/bench.hpp.
struct Sizes {
  double batch, rows, inputs, outputs;
  double weights = 0, upper_weights = 0;  // P, P'
  double hidden = 0;                      // A

  Sizes(const StepBenchRequest& r, std::size_t together)
      : batch(static_cast<double>(r.batch)),
        rows(static_cast<double>(together)),
        inputs(static_cast<double>(r.widths.front())),
        outputs(static_cast<double>(r.widths.back())) {
    for (std::size_t i = 1; i < r.widths.size(); ++i) {
      const auto in = static_cast<double>(r.widths[i - 1]), out = static_cast<double>(r.widths[i]);
      weights += in * out;
      if (i > 1) upper_weights += in * out;
      if (i + 1 < r.widths.size()) hidden += rows * out;
    }
  }
};

StageWork update_work(const OptimizerOptions& o, const Sizes& n, double stored, double gradient) {
  const bool master = o.master == MasterKind::fp32;
  const double weights = (master ? 4 : stored) * n.weights;
  const double rest = o.master == MasterKind::kahan ? 2 * n.weights : 0;
  const double state = make_optimizer(o, {})->moments() * static_cast<double>(size_of(o.moments)) * n.weights + rest;
  const double copies = stored * (n.upper_weights + (master ? n.weights : 0));
  return {0, gradient + weights + state, weights + state + copies};
}

}  // namespace

StepWork step_work(const StepBenchRequest& r, Dtype precision) {
  const Sizes n(r, step_shape(r, precision).max_rows);
  const auto s = static_cast<double>(size_of(precision));
  const double kept = derivative_needs_input(r.activation) ? 2 : 1;
  const bool wait = r.clip_norm > 0 || precision == Dtype::fp16;
  const double gradient = wait ? 4 * n.weights : 0;
  const double inputs = n.rows * n.inputs, outputs = n.rows * n.outputs;
  StepWork work = {};
  auto at = [&](StepStage stage) -> StageWork& { return work[static_cast<std::size_t>(stage)]; };
  at(StepStage::forward) = {2 * n.batch * n.weights, s * (inputs + n.weights), s * kept * n.hidden + 4 * outputs};
  at(StepStage::loss) = {0, 4 * outputs, s * outputs};
  at(StepStage::input_gradient) = {2 * n.batch * n.upper_weights, s * (outputs + n.upper_weights + n.hidden),
                                   s * n.hidden};
  at(StepStage::weight_gradient) = {2 * n.batch * n.weights, s * (inputs + 2 * n.hidden + outputs), gradient};
  at(StepStage::update) = update_work(r.optimizer, n, s, gradient);
  return work;
}

double total_flop(const StepWork& work) {
  double sum = 0;
  for (const StageWork& stage : work) sum += stage.flop;
  return sum;
}

double bound_ns(const StageWork& work, const MachineRates& rates) {
  const double read = std::max(0.0, work.read - rates.cache_bytes);
  const double written = std::max(0.0, work.written - rates.cache_bytes);
  const double both = written > 0 ? (read + written) / rates.update_gb_per_s : 0;
  return std::max({work.flop / rates.gflops, read / rates.read_gb_per_s, both});
}

}  // namespace halfstep::internal
