#include "run/checkpoints.hpp"

#include <utility>

namespace halfstep::internal {

Checkpoints::Checkpoints(const Options& options, const CheckpointFolder& folder, Checkpoint header)
    : header_(std::move(header)),
      folder_(folder),
      every_(options.checkpoint_every),
      seconds_(60 * options.checkpoint_minutes),
      writer_(folder_) {}

bool Checkpoints::due(std::int64_t attempted) const {
  const bool by_steps = every_ > 0 && attempted % every_ == 0;
  const bool by_time = seconds_ > 0 && std::chrono::duration<double>(Time::now() - last_).count() >= seconds_;
  return (by_steps || by_time) && !writer_.busy();
}

void Checkpoints::save(Now now) {
  CheckpointWriter::Job job = {header_, std::nullopt};
  Checkpoint& c = job.checkpoint;
  c.attempted = now.attempted;
  c.epoch = now.epoch;
  c.model.step = now.applied;
  c.model.scaler = now.scaler;
  c.state = std::move(now.state);
  if (now.best) {
    job.best = header_.model;
    job.best->step = now.best_applied;
    job.best->scaler = now.scaler;
    job.best->tensors = *std::move(now.best);
  }
  last_ = Time::now();
  writer_.begin(std::move(job));
}

void Checkpoints::tell(const TrainObserver& observer) {
  for (const CheckpointWriter::Outcome& o : writer_.take_outcomes()) {
    failure_ = o.failure;
    if (o.failure.empty()) {
      if (observer.on_checkpoint) observer.on_checkpoint({o.step, folder_.path_of(o.step), o.bytes, o.seconds});
    } else if (observer.on_warning) {
      observer.on_warning("no checkpoint of step " + std::to_string(o.step) + ": " + o.failure);
    }
  }
}

std::string Checkpoints::last_path() const {
  const std::optional<std::int64_t> step = writer_.last_saved();
  return step ? folder_.path_of(*step) : "";
}

}  // namespace halfstep::internal
