// What is in a model file or a checkpoint, and whether it is whole.
#include "data/target_columns.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/text.hpp"
#include "io/safetensors.hpp"
#include "run/bagged_file.hpp"
#include "run/checkpoint_file.hpp"
#include "run/model_file.hpp"
#include "run/model_text.hpp"

namespace halfstep {

using namespace internal;
namespace {

std::string count_text(const Checkpoint& c, const char* name) {
  const std::optional<std::int64_t> value = integer_of(c.state, name);
  return value ? std::to_string(*value) : "unknown";
}

// From 1.
std::string number_text_of(const Checkpoint& c, const char* name) {
  const std::optional<std::int64_t> value = integer_of(c.state, name);
  return value ? std::to_string(*value + 1) : "unknown";
}

// What a run that goes on with it finds.
std::vector<std::pair<std::string, std::string>> run_of(const Checkpoint& c, bool bagged) {
  std::vector<std::pair<std::string, std::string>> run;
  if (bagged) {
    run.emplace_back("network of a bag", number_text_of(c, "part") + ", settings " + number_text_of(c, "settings"));
  }
  run.emplace_back("attempted steps", std::to_string(c.attempted));
  run.emplace_back("applied steps", std::to_string(c.model.step));
  run.emplace_back("epochs",
                   std::to_string(c.epoch) + (bagged ? ""
                                                     : ", and " + count_text(c, "trainer.clock.row") + " of " +
                                                           std::to_string(c.data.train_rows) + " rows of the next"));
  run.emplace_back("best epoch", count_text(c, bagged ? "best_epoch" : "early_stop.best_epoch"));
  run.emplace_back("data", c.data.path + ", " + std::to_string(c.data.train_rows) + " rows to train, " +
                               std::to_string(c.data.held_out_rows) + " held out, digest " + c.data.digest);
  run.emplace_back("written on", c.model.isa + ", math " + std::string(name(c.model.math)));
  if (!c.command.empty()) run.emplace_back("goes on by", c.command);
  return run;
}

}  // namespace

ModelSummary inspect(const std::string& path) {
  const io::File file = io::read_safetensors(path);
  ModelSummary s;
  const bool checkpoint = is_checkpoint(file);
  const bool bagged = is_bagged_network(file);
  const SavedModel saved = model_of(file, path);
  if (checkpoint) s.run = run_of(checkpoint_of(file, path), false);
  if (bagged) s.run = run_of(bagged_network_of(file, path), true);
  s.format = checkpoint ? "halfstep checkpoint 1 (safetensors)"
             : bagged   ? "halfstep network of a bag 1 (safetensors)"
                        : "halfstep 1 (safetensors)";
  s.kind = saved.preprocessor.task() == Task::classify ? "classifier" : "regressor";
  s.architecture = (saved.networks > 1 ? std::to_string(saved.networks) + " networks of " : "") +
                   architecture_text(saved.spec) + ", " + std::string(name(saved.spec.loss));
  for (const NamedTensor& t : saved.tensors) {
    if (t.role != ParameterRole::statistic) s.parameters += static_cast<std::int64_t>(t.values.size());
    s.tensors.push_back({t.name, "F32", {t.shape.begin(), t.shape.end()}});
  }
  s.step = saved.step;
  s.precision = name(saved.spec.precision);
  s.layer_precision = exceptions_text(saved.spec);
  s.loss_scale = number_text(saved.scaler.scale);
  s.digest = saved.digest;
  s.weights_digest = weights_digest(saved.tensors);
  s.classes = saved.preprocessor.classes();
  const bool named = s.kind == "regressor" && !saved.preprocessor.recipe().is_matrix;
  if (named) s.targets = data::target_names(saved.preprocessor.targets());
  s.preprocessing = saved.preprocessor.describe();
  s.config = saved.config;
  s.temperature = saved.held_out.temperature;
  s.intervals = intervals_text(saved.held_out.intervals);
  return s;
}

Verification verify(const std::string& path) {
  Verification v;
  try {
    const ModelSummary s = inspect(path);
    v.good = true;
    v.kind = "model";
    if (!s.run.empty()) {
      const auto& [what, which] = s.run.front();
      v.kind = what == "attempted steps" ? "checkpoint of step " + which : what + ", number " + which;
    }
    v.digest = s.digest;
  } catch (const Error& error) {
    if (error.status() == Status::io || error.status() == Status::out_of_memory) throw;
    v.why = error.what();
  }
  return v;
}

}  // namespace halfstep
