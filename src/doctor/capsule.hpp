// A step with all that its result depends on: it can be run again anywhere, bit for bit.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "amp/gradient_pass.hpp"
#include "halfstep/incident.hpp"
#include "halfstep/model_spec.hpp"
#include "loss/loss.hpp"
#include "nn/network.hpp"
#include "train/clock.hpp"
#include "train/trainer.hpp"

namespace halfstep::internal {

struct Capsule {
  ModelSpec model;
  ClipOptions clip;
  OptimizerKind optimizer = OptimizerKind::adamw;
  double weight_decay = 0;
  std::uint64_t seed = 0;  // of dropout's masks
  Clock clock;             // before the step
  double lr = 0;
  float loss_scale = 1;       // of its last attempt
  bool scale_moves = false;   // by itself: dynamic loss scaling
  std::size_t part_rows = 0;  // that pass through the network together
  std::int64_t batch = 0;     // of the epoch, from 1; 0: the batches are the caller's
  StepCause cause = StepCause::none;
  std::string tensor;  // where the step said that it began
  double loss = 0;
  std::string digest;  // of what the part that went non-finite left in memory, see step_digest

  // The rows, in the step's order: all of them, or those of the part that went non-finite.
  std::size_t rows = 0;
  std::size_t step_rows = 0;         // of the whole step
  std::size_t first_row = 0;         // of the step, that these begin with
  double weight = 0;                 // of the whole step in the mean, where these are a part; else 0
  std::vector<float> x;              // rows x inputs, fp32
  std::vector<std::int32_t> labels;  // or `values`, rows x outputs
  std::vector<float> values;
  std::vector<float> weights;           // empty: all rows count alike
  std::vector<std::uint32_t> examples;  // rows of the set; empty: the batch was the caller's
  std::vector<std::string> places;      // of each in its file; empty: unknown

  std::vector<NamedTensor> tensors;  // as the step found them
  std::vector<StepFigures> recent;   // this step included, oldest first
  std::string tried;                 // see Incident

  std::size_t inputs() const { return model.widths.front(); }
  std::size_t outputs() const { return model.widths.back(); }
  Targets targets() const {
    return {labels.empty() ? nullptr : labels.data(), values.empty() ? nullptr : values.data(),
            weights.empty() ? nullptr : weights.data()};
  }
};

// Bytes of rows beyond which not all of a step are kept, and no file is written.
constexpr std::size_t kMostCapsuleBytes = std::size_t{1} << 28;

// Rows that take_capsule takes: those of one part where all would take more than `most_bytes`, and there are parts.
struct KeptRows {
  std::size_t first, count;
  bool whole;  // the step
};
KeptRows kept_rows(const StepTrainer& trainer, const WithheldStep& step, std::size_t most_bytes = kMostCapsuleBytes);

// Within StepTrainer::on_withheld.
Capsule take_capsule(StepTrainer& trainer, const WithheldStep& step, std::size_t most_bytes = kMostCapsuleBytes);

// Why no file is to be written of it, with what to do; empty: its rows take no more than `most_bytes`.
std::string too_large(const Capsule& capsule, std::size_t most_bytes = kMostCapsuleBytes);
// "the capsule keeps 512 of the 4096 rows of its step: those of the part that is not finite"; empty: it keeps all.
std::string what_is_kept(const Capsule& capsule);

}  // namespace halfstep::internal
