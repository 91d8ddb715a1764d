#include "run/checkpoints.hpp"

#include <utility>

namespace halfstep::internal {

Checkpoints::Checkpoints(const Options& options, const CheckpointFolder& folder, Checkpoint header)
    : header_(std::move(header)),
      folder_(folder),
      every_(options.checkpoint_every),
      seconds_(60 * options.checkpoint_minutes),
      stops_(options.on_save_error == "stop"),
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
    } else if (stops_) {
      if (!lost_) lost_ = o;
    } else if (observer.on_warning) {
      observer.on_warning("no checkpoint of step " + std::to_string(o.step) + ": " + o.failure);
    }
  }
}

Error Checkpoints::error(const std::string& kept) const {
  const std::string last = last_path();
  const std::string command = header_.command.empty() ? "--resume auto" : header_.command;
  return {Status::io,
          {.what = "a checkpoint could not be saved, which ended the run",
           .where = lost_->where.empty() ? folder_.path_of(lost_->step) : lost_->where,
           .why = lost_->why,
           .kept = kept + (last.empty() ? "; no checkpoint" : "; the checkpoint " + last),
           .hint = "once files can be written in " + folder_.path() + " again: " + command}};
}

std::string Checkpoints::last_path() const {
  const std::optional<std::int64_t> step = writer_.last_saved();
  return step ? folder_.path_of(*step) : "";
}

}  // namespace halfstep::internal
