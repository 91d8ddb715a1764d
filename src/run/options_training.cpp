// Parameters of the optimizer, the length of a run and what it writes.
#include <algorithm>
#include <array>
#include <string_view>

#include "halfstep/metrics.hpp"
#include "run/options_entries.hpp"

namespace halfstep::internal::options {

namespace {

// "auto|" and the names of all metrics.
constexpr auto kMetricChoices = [] {
  constexpr std::string_view kAuto = "auto|", kNames = all_names<MetricKind>();
  std::array<char, kAuto.size() + kNames.size()> text{};
  std::copy(kAuto.begin(), kAuto.end(), text.begin());
  std::copy(kNames.begin(), kNames.end(), text.begin() + kAuto.size());
  return text;
}();
constexpr std::string_view kMetrics = {kMetricChoices.data(), kMetricChoices.size()};

}  // namespace

std::vector<Entry> training_entries() {
  using O = Options;
  return {
      choice("optimizer", "the update rule", &O::optimizer),
      number("lr", "> 0", positive, "learning rate", &O::lr),
      number("embedding-lr", "> 0", positive,
             "what lr is multiplied by for the columns' vectors and the scales of an ensemble's members",
             &O::embedding_lr),
      number("momentum", ">= 0 and < 1", fraction, "of sgd", &O::momentum),
      flag("nesterov", "look ahead along the momentum of sgd", &O::nesterov),
      number("beta1", ">= 0 and < 1", fraction,
             "decay of the first moment of adam, adamw, radam and muon; how much of its momentum lion steps by",
             &O::beta1),
      number("beta2", ">= 0 and < 1", fraction,
             "decay of the second moment of adam, adamw, radam and muon; of the momentum of lion (0.99 suits it)",
             &O::beta2),
      number("epsilon", "> 0", positive, "keeps adam, adamw, radam and muon from dividing by zero", &O::epsilon),
      number("muon-momentum", ">= 0 and < 1", fraction,
             "of muon, for the weights of hidden layers; it treats all others as adamw does", &O::muon_momentum),
      number("weight-decay", ">= 0", not_negative, "pull of the weights towards zero", &O::weight_decay),
      choice("moments", "fp32|bf16", "how the optimizer's moments lie in memory", &O::moments),
      choice("master",
             "what the optimizer updates: fp32 masters, or the 16-bit weights with compensation or random rounding",
             &O::master),
      choice("schedule", all_names<ScheduleKind>(), "course of the learning rate after the warmup", &O::schedule),
      number(
          "decay", "> 0 and < 1", [](double v) { return positive(v) && fraction(v); },
          "what is left of the rate at each drop of the schedules step and plateau", &O::decay),
      integer("decays", 1, 1000, "1 to 1000", "drops of the schedule step, at equal distances", &O::decays),
      integer("decay-patience", 1, kMost, ">= 1",
              "epochs without a better metric on held-out rows after which the schedule plateau drops the rate",
              &O::decay_patience),
      integer("warmup", 0, kMost, ">= 0", "steps over which the learning rate rises from 0", &O::warmup),
      integer("epochs", 0, kMost, ">= 0; 0: enough for about 1000 steps, 20 to 200", "passes over the training rows",
              &O::epochs),
      integer("steps", 0, kMost, ">= 0; 0: epochs decide", "updates to attempt", &O::steps),
      integer("batch", 1, std::int64_t{1} << 30, ">= 1", "rows that pass through the model together", &O::batch),
      integer("accumulate", 1, std::int64_t{1} << 20, ">= 1", "batches whose gradients make one step", &O::accumulate),
      integer("early-stop", 0, kMost, ">= 0; 0: off",
              "end after so many epochs without a better metric on held-out rows, and keep the best weights",
              &O::early_stop),
      flag("refit", "then train on all rows, those held out too, for as many epochs as early-stop found best",
           &O::refit),
      integer("bag", 1, 256, "1 to 256; 1: a single network",
              "networks that answer together, each trained without another part of the rows, which it is judged by",
              &O::bag),
      number("time-limit", ">= 0; 0: off", not_negative, "seconds of training, after which it ends and saves",
             &O::time_limit),
      number("ema", ">= 0 and < 1; 0: off", fraction,
             "what an applied step leaves of the average of the weights, which is what is measured and saved: 0.999",
             &O::ema),
      integer("average-epochs", 0, kMost, ">= 0; 0: off",
              "save the mean of the weights that the last so many epochs ended with", &O::average_epochs),
      choice("metric", kMetrics,
             "what early-stop goes by and each epoch shows; auto: the loss, or calibrated_loss where it calibrates",
             &O::metric),
      choice(
          "calibrate", "auto|temperature|none",
          "divide a classifier's logits by what suits the rows held out; auto: of an ensemble, or a quality but plain",
          &O::calibrate),
      text("out", "file to write; empty: model.safetensors", &O::out),
      text("metrics", "JSONL file, a line per epoch", &O::metrics),
      text("checkpoint-dir",
           "folder in which the run saves all that goes on with it, of a bag each network that has ended, and that "
           "--resume auto reads",
           &O::checkpoint_dir),
      integer("checkpoint-every", 0, kMost, ">= 0; 0: by time alone", "steps between two checkpoints",
              &O::checkpoint_every),
      number("checkpoint-minutes", ">= 0; 0: by steps alone", not_negative, "between two checkpoints",
             &O::checkpoint_minutes),
      integer("checkpoint-keep", 1, kMost, ">= 1", "how many of the newest checkpoints stay", &O::checkpoint_keep),
      choice("on-save-error", "continue|stop",
             "when a checkpoint cannot be saved: warn and train on, or end the run, save its model and exit with 4",
             &O::on_save_error),
      text("resume",
           "go on with a run: a checkpoint, a folder of them, or auto: the newest in --checkpoint-dir, if any",
           &O::resume),
      text("init-from", "model or checkpoint whose weights a new run starts from", &O::init_from),
      text("capsule",
           "file that keeps a step that went non-finite, for halfstep doctor; auto: beside the model; none: no file",
           &O::capsule),
      text("tensorboard", "folder in which the run begins a file of events, a record an epoch", &O::tensorboard),
      text("report", "HTML file: the run on one page, with curves, quality, and what was skipped and why", &O::report),
      integer("meter-every", 0, kMost, ">= 0; 0: off", "read every so many steps what rounding to storage loses",
              &O::meter_every),
  };
}

}  // namespace halfstep::internal::options
