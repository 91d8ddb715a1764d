#include "run/trainer_place.hpp"

#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

// Masters, moments and counts, none of which depends on what a layer is stored in.
struct Whole {
  StepTrainer& trainer;
  void visit_state(StateVisitor& visitor) {
    {
      const StateVisitor::Group group(visitor, "training");
      trainer.visit_training(visitor);
    }
    const StateVisitor::Group group(visitor, "recent");
    trainer.visit_recent(visitor);
  }
};

}  // namespace

TrainerPlace::TrainerPlace(const KernelTable& kernels, Executor& executor, const TrainerConfig& config,
                           const data::Examples& set)
    : kernels_(kernels), executor_(executor), set_(set) {
  trainer_.emplace(kernels, executor, config, &set);
}

void TrainerPlace::set_layers(const std::vector<Dtype>& layers) {
  TrainerConfig config = trainer_->config();
  config.model.layer_precision = layers;
  Whole before{*trainer_};
  const State state = save_state(before);
  trainer_.emplace(kernels_, executor_, config, &set_);
  Whole now{*trainer_};
  load_state(now, state);
  trainer_->loaded();
}

std::vector<Dtype> lifted(const ModelSpec& model, const std::vector<LayerPrecision>& layers) {
  std::vector<Dtype> dtypes = layer_dtypes(model);
  for (const LayerPrecision& l : layers) dtypes.at(static_cast<std::size_t>(l.layer)) = l.precision;
  return dtypes;
}

}  // namespace halfstep::internal
