// The trainer of a run, which can be built anew with layers in a wider type while others refer to it.
#pragma once
#include <optional>
#include <vector>

#include "halfstep/options.hpp"
#include "train/trainer.hpp"

namespace halfstep::internal {

class TrainerPlace {
 public:
  // As StepTrainer's.
  TrainerPlace(const KernelTable& kernels, Executor& executor, const TrainerConfig& config, const data::Examples& set);

  StepTrainer& trainer() { return *trainer_; }

  // Between steps: a trainer with these layers, at the same place, which goes on where the other was. References to it
  // stay valid; whom it called must register again. Of weights that have fp32 masters. Throws Error(out_of_memory),
  // and then there is no trainer.
  void set_layers(const std::vector<Dtype>& layers);

 private:
  const KernelTable& kernels_;
  Executor& executor_;
  const data::Examples& set_;
  std::optional<StepTrainer> trainer_;
};

// The storage types of a model's layers once some are raised.
std::vector<Dtype> lifted(const ModelSpec& model, const std::vector<LayerPrecision>& layers);

}  // namespace halfstep::internal
