#include "data/sniff_dialect.hpp"
#include "halfstep/error.hpp"
#include "halfstep/metrics.hpp"
#include "halfstep/options.hpp"
#include "loss/loss.hpp"
#include "nn/blocks.hpp"
#include "optim/optimizer.hpp"
#include "run/bag_options.hpp"
#include "run/options_parse.hpp"
#include "run/options_registry.hpp"
#include "run/precision.hpp"
#include "run/quality.hpp"
#include "run/refit_options.hpp"

namespace halfstep {

using namespace internal;
namespace {

[[noreturn]] void refuse(std::string_view name, std::string why, std::string hint = {}) {
  throw Error(Status::invalid_argument, {.what = "these parameters do not go together",
                                         .where = "--" + std::string(name),
                                         .why = std::move(why),
                                         .kept = {},
                                         .hint = std::move(hint)});
}

// A run never starts with a parameter it ignores; one left at its default cannot be told from one not given.
void refuse_ignored(const Options& options, std::initializer_list<std::string_view> names, const std::string& why,
                    const std::string& hint) {
  for (const std::string_view name : names) {
    if (get_option(options, name) != get_option(Options{}, name)) refuse(name, why, hint);
  }
}

// Options can be filled without set_option: every value must pass its own setter.
void check_each(const Options& options) {
  Options copy;
  for (const options::Entry& entry : options::registry()) entry.set(copy, entry.get(options));
}

void check_optimizer(const Options& options) {
  for (const std::string_view name : {"momentum", "nesterov", "beta1", "beta2", "epsilon", "muon-momentum"}) {
    if (optimizer_has(options.optimizer, name)) continue;
    const auto with = optimizer_has(OptimizerKind::adamw, name) ? OptimizerKind::adamw
                      : optimizer_has(OptimizerKind::sgd, name) ? OptimizerKind::sgd
                                                                : OptimizerKind::muon;
    refuse_ignored(options, {name}, std::string(halfstep::name(options.optimizer)) + " does not have it",
                   "--optimizer " + std::string(halfstep::name(with)));
  }
  if (options.optimizer == OptimizerKind::sgd) {
    if (options.nesterov && options.momentum == 0) refuse("nesterov", "it needs momentum", "--momentum 0.9");
    if (options.momentum == 0) refuse_ignored(options, {"moments"}, "sgd without momentum has none", "--momentum 0.9");
  }
  if (!stores(options, Dtype::bf16) && !stores(options, Dtype::fp16)) {
    refuse_ignored(options, {"master"}, "fp32 weights are their own masters", "--precision bf16");
  }
}

void check_layers(const Options& options) {
  const auto layers = static_cast<std::int64_t>(options.hidden.size()) + 1;
  for (const LayerPrecision& l : options.layer_precision) {
    if (l.layer < layers) continue;
    refuse("layer-precision", "there is no layer " + std::to_string(l.layer) + ", they are numbered from 0",
           "layers 0 to " + std::to_string(layers - 1));
  }
}

void check_hidden(const Options& options) {
  if (!layer_takes_norm(options.layer)) {
    refuse_ignored(options, {"norm"}, "a " + options.layer + " layer has none", "--layer dense");
  }
  if (options.hidden.empty()) {
    refuse_ignored(options, {"layer", "norm", "dropout", "residual"}, "there are no hidden layers", "--hidden 128,64");
  }
  // Two rows are the least that it trains on; from three on the last batch of an epoch can always have two.
  if (options.norm == Norm::batch && options.batch < 3) {
    refuse("batch", "batch norm takes its statistics from the rows of a batch, and needs three of them",
           "--batch 3 or more, or --norm layer");
  }
}

void check_embedding(const Options& options) {
  if (!options.init_from.empty()) {
    refuse_ignored(options, {"quality"}, "the network is that of --init-from", "leave it out");
  }
  if (options.embedding == 0) {
    const bool follows = quality_of(options) != "plain" && options.standardize == "auto";  // from the table
    if (!follows) {
      refuse_ignored(options, {"bins", "periodic", "ensemble", "embedding-lr"},
                     "only columns that are embedded have them", "--embedding 16");
    }
    return;
  }
  refuse_ignored(options, {"standardize"}, "an embedding scales numbers by their quartiles", "--embedding 0");
  if (options.ensemble > 1 && options.norm == Norm::batch) {
    refuse("ensemble", "BatchNorm would mix its members", "--norm layer");
  }
}

void check_loss(const Options& options) {
  const std::optional<LossKind> loss = from_name<LossKind>(options.loss);  // none: auto
  const bool for_classes = loss && has_labels(*loss), for_values = loss && !has_labels(*loss);
  if (options.task == Task::regress && for_classes) refuse("loss", options.loss + " is for classification", "mse");
  if (options.task == Task::classify && for_values)
    refuse("loss", options.loss + " is for regression", "cross_entropy");
  if (loss == LossKind::binary_cross_entropy || for_values || options.task == Task::regress) {
    refuse_ignored(options, {"label-smoothing", "class-weights"}, "only cross_entropy has it", "--loss cross_entropy");
  }
  if (loss != LossKind::huber) refuse_ignored(options, {"huber-delta"}, "only the huber loss has it", "--loss huber");
}

void check_scale(const Options& options) {
  const std::string& rule = options.loss_scale;
  const bool automatic = rule == "auto" && stores(options, Dtype::fp16);
  const bool counts = rule == "dynamic" || rule == "compatible" || automatic;
  const bool moves = counts || rule == "headroom";
  if (rule == "headroom" && !stores(options, Dtype::fp16)) {
    refuse("loss-scale", "headroom fits fp16's range, and " + std::string(name(options.precision)) + " has fp32's",
           "--precision fp16");
  }
  if (!moves) {
    refuse_ignored(options, {"scale-init", "scale-min", "scale-max"}, "the loss scale does not move here",
                   "--loss-scale dynamic");
  }
  if (!counts) {
    refuse_ignored(
        options,
        {"scale-growth", "scale-backoff", "scale-interval", "scale-hysteresis", "scale-consecutive-hysteresis"},
        "the loss scale is not dynamic here", "--loss-scale dynamic");
  }
  if (rule == "compatible") {
    refuse_ignored(options, {"scale-min", "scale-max"}, "PyTorch's scaler has no such limit", "--loss-scale dynamic");
    return;
  }
  if (options.scale_consecutive_hysteresis && options.scale_hysteresis == 1) {
    refuse("scale-consecutive-hysteresis", "every overflow shrinks the loss scale here", "--scale-hysteresis 2");
  }
  if (options.scale_min > options.scale_max) refuse("scale-min", "it is above scale-max");
  if (options.scale_init == 0) return;
  if (options.scale_init < options.scale_min) refuse("scale-init", "it is below scale-min");
  if (options.scale_init > options.scale_max) refuse("scale-init", "it is above scale-max");
}

void check_automatic(const Options& options) {
  if (!options.auto_precision) return;
  for (const std::string& name : parameters_of_precision()) {
    if (name != "precision") refuse_ignored(options, {name}, "--precision auto chooses it too", "--precision bf16");
  }
}

void check_schedule(const Options& options) {
  if (options.schedule != "step")
    refuse_ignored(options, {"decays"}, "only the schedule step has it", "--schedule step");
  if (options.schedule != "step" && options.schedule != "plateau") {
    refuse_ignored(options, {"decay"}, "only the schedules step and plateau have it", "--schedule step");
  }
  if (options.schedule != "plateau") {
    refuse_ignored(options, {"decay-patience"}, "only the schedule plateau has it", "--schedule plateau");
  }
  if (options.schedule == "one_cycle" || options.schedule == "coslog") {
    refuse_ignored(options, {"warmup"}, options.schedule + " has a rise of its own", "--schedule cosine");
  }
}

void check_average(const Options& options) {
  if (options.ema == 0 && options.average_epochs == 0) return;
  const char* const name = options.ema > 0 ? "ema" : "average-epochs";
  if (options.ema > 0 && options.average_epochs > 0) {
    refuse("ema", "there is one average of the weights", "one of --ema and --average-epochs");
  }
  if (options.master != MasterKind::fp32)
    refuse(name, "without fp32 masters there is no mean of weights", "--master fp32");
  if (options.average_epochs > 0 && (options.early_stop > 0 || options.time_limit > 0)) {
    refuse(name, "which epochs are the last is not known before the run has ended", "--ema 0.999");
  }
}

void check_checkpoints(const Options& options) {
  if (options.checkpoint_dir.empty()) {
    refuse_ignored(options, {"checkpoint-every", "checkpoint-minutes", "checkpoint-keep", "on-save-error"},
                   "there are no checkpoints", "--checkpoint-dir FOLDER");
    if (options.resume == "auto") refuse("resume", "auto looks into --checkpoint-dir", "--checkpoint-dir FOLDER");
  }
  if (!options.resume.empty() && options.resume != "auto" && !options.init_from.empty()) {
    refuse("init-from", "a run that goes on has its weights", "one of --resume and --init-from");
  }
}

void check_metric(const Options& options) {
  const std::optional<MetricKind> metric = from_name<MetricKind>(options.metric);  // none: auto
  if (!metric || options.task == Task::automatic || applies_to(*metric, options.task == Task::classify)) return;
  const bool classify = options.task == Task::classify;
  refuse("metric", options.metric + " is of " + (classify ? "values" : "classes"), classify ? "accuracy" : "rmse");
}

}  // namespace

void validate(const Options& options) {
  check_each(options);
  check_layers(options);
  check_hidden(options);
  check_embedding(options);
  check_optimizer(options);
  check_loss(options);
  check_automatic(options);
  check_scale(options);
  if (options.separator != "auto") data::separator_of(options.separator);
  check_schedule(options);
  check_average(options);
  check_checkpoints(options);
  check_metric(options);
  check_refit(options);
  check_bag(options);
  if (!options.group.empty() && options.split != "random") {
    refuse("group", "groups are held out whole, in an order by chance", "--split random");
  }
  if (options.split == "stratified" && options.task == Task::regress) {
    refuse("split", "values have no classes of which to take a share", "--split random");
  }
  if (options.cache.empty()) refuse("cache", "it is auto, none or a folder", "--cache auto");
  if (!options.metrics.empty() && options.metrics == options.out) refuse("metrics", "it is the same file as --out");
  if (!options.report.empty() && options.report == options.out) refuse("report", "it is the same file as --out");
}

}  // namespace halfstep
