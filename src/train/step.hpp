// One training step: the whole of mixed-precision training on one screen (step.cpp).
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/grad_scaler.hpp"
#include "amp/gradient_pass.hpp"
#include "amp/headroom.hpp"
#include "amp/step_cause.hpp"
#include "base/function_ref.hpp"
#include "gemm/blocking.hpp"
#include "gemm/gemm.hpp"
#include "loss/loss.hpp"
#include "nn/network.hpp"
#include "optim/optimizer.hpp"
#include "parallel/step_pace.hpp"
#include "train/clock.hpp"
#include "train/step_meter.hpp"
#include "train/weight_update.hpp"

namespace halfstep::internal {

// Where a step went non-finite first.
struct StepIncident {
  StepCause cause = StepCause::none;
  std::string_view tensor;  // where: a parameter or a signal of the network, which keeps the name; may be empty
  std::size_t part = 0;     // of the step, which the network's buffers hold
};

struct StepReport {
  double loss = 0;
  bool applied = false;
  double grad_norm = 0;
  float loss_scale = 1;   // the one this step ended with
  int reruns = 0;         // of the backward pass, at a smaller scale each
  StepIncident incident;  // why it was skipped, or run again
};

// What a step learns from. Where the model's buffers do not hold all rows at once they come in parts of `part_rows`,
// the last of fewer, whose gradients add up to that of the whole: to the bit where that is a multiple of kRowsGrain
// (rows_together.hpp) and the model is without BatchNorm.
struct StepExamples {
  std::size_t rows;  // of all parts
  Targets targets;   // of all rows
  std::size_t part_rows;
  FunctionRef<void(std::size_t first, std::size_t rows, Activations& input)> load;  // puts these rows into `input`
  std::size_t least_rows = 1;                                                       // that the model can train on
  // Where these are only some of a step's rows: the weight of all in the mean, else 0; and where they begin in it.
  double weight = 0;
  std::size_t first_row = 0;

  std::size_t parts() const { return (rows + part_rows - 1) / part_rows; }
  // Where a part begins. A last one of a single row gets one of the part before it where that is too few.
  std::size_t begin_of(std::size_t part) const {
    const std::size_t begin = std::min(part * part_rows, rows);
    return least_rows > 1 && part > 0 && part_rows > 2 && begin + 1 == rows ? begin - 1 : begin;
  }
};

class TrainStep {
 public:
  // With `headroom` the scale follows the largest gradients, and an overflow that the scale alone caused is repaired
  // within the step.
  TrainStep(GemmContext& context, Network& model, const Loss& loss, Optimizer& optimizer, GradScaler& scaler,
            Clock& clock, ClipOptions clip, std::optional<Headroom> headroom = {});

  // Counts in the clock. Allocates nothing. A meter reads what this step rounds.
  StepReport run(const StepExamples& examples, double lr, StepMeter* meter = nullptr);
  // The same with `rows` examples that are in model.input() already.
  StepReport run(std::size_t rows, const Targets& targets, double lr, StepMeter* meter = nullptr);

  // Forward and backward passes of one part of such a step, without an update or a count: the network then holds that
  // part.
  void run_part(const StepExamples& examples, std::size_t index);

  // From the next step on `watch` hears of each stage as it begins; null: nobody does. It must outlive the steps.
  void observe(StageWatch* watch) { watch_ = watch; }

  // From the next step on, a part of each update is left to the forward pass of the step after it (WeightUpdate) if
  // what that part reads does not stay in a cache of so many bytes. The bits are the same, but weights must not be read
  // between steps without finish_update.
  void leave_updates(std::size_t cache_bytes = cache_sizes().l2) { cache_of_updates_ = cache_bytes; }
  void finish_update() { update_.finish(); }

  // Between steps, after finish_update: what is its own, beside the objects that it was given.
  void visit_state(StateVisitor& visitor);

  // After a skipped step: where it began, then each weight gradient that is not finite.
  std::vector<std::string> tensors_of(const StepIncident& incident) const;

  // Weight matrices whose gradient in the last step was zero, every element; none where that of the last layer was too:
  // then there is nothing left to learn.
  std::vector<std::string> silent_gradients() const;

  // The first weight that is not finite, itself or in the storage type.
  StepIncident check_weights() const;

  // The trained parameters as the optimizer numbers them. The rate of those of the embedding has a factor.
  static std::vector<OptimizerTensor> tensor_sizes(const Network& network, double embedding_rate = 1);

 private:
  // Some of the step's rows while the model looks at them.
  struct Part {
    std::size_t index, first, rows;
    Targets targets;
    double weight;  // of all parts, in the mean
  };
  Part part_of(const StepExamples& examples, double weight, std::size_t index) const;
  StepReport run_on_threads(const StepExamples& examples, double lr, StepMeter* meter);
  void forward(const StepExamples& examples, const Part& part);
  // The next two add the part's losses to `losses`.
  void evaluate(const Part& part, const StorageTarget& d_logits, float* sums, double& losses);
  void backward(const Part& part, bool accumulate, double& losses);
  void read_meter(StepMeter& meter, const Part& part);
  StepIncident explain(const StepExamples& examples, double weight, double loss, const GradientSummary& gradients);
  GradientSummary summarise();
  void clip_by_value();
  bool run_again(StepReport& report);
  struct Findings;
  void look_at(const Part& part, double losses, Findings& found) const;
  StepIncident incident_of(const Findings& found, std::size_t last, double loss,
                           const GradientSummary& gradients) const;
  void note_bad_gradients();
  float largest(const StoredSignal& signal, std::size_t rows) const;
  float largest_d(std::size_t rows) const;

  GemmContext& context_;
  Network& model_;
  const Loss& loss_;
  Optimizer& optimizer_;
  GradScaler& scaler_;
  Clock& clock_;
  ClipOptions clip_;
  std::optional<Headroom> headroom_;
  StageWatch* watch_ = nullptr;
  StepPace pace_;
  WeightUpdate update_;
  std::optional<std::size_t> cache_of_updates_;
  std::vector<GradientSquares> squares_;  // of each trained parameter
  std::vector<bool> bad_gradients_;       // of each too: those of the last step that were not finite
  float largest_d_ = 0;                   // of this step's parts, where headroom wants it
};

}  // namespace halfstep::internal
