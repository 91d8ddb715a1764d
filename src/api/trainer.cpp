#include "halfstep/trainer.hpp"

#include <algorithm>
#include <optional>

#include "api/dataset_impl.hpp"
#include "api/outputs.hpp"
#include "base/state_bytes.hpp"
#include "halfstep/error.hpp"
#include "loss/loss.hpp"
#include "run/machine.hpp"
#include "run/memory_check.hpp"
#include "run/model_file.hpp"
#include "run/output_meaning.hpp"
#include "run/trainer_options.hpp"
#include "train/trainer.hpp"

namespace halfstep {

using namespace internal;

namespace {

[[noreturn]] void refuse(std::string what, std::string why) {
  throw Error(Status::invalid_argument,
              {.what = std::move(what), .where = {}, .why = std::move(why), .kept = {}, .hint = {}});
}

// Whether the outputs of a model and the targets of a set are of one kind.
void check_fit(const ModelSpec& spec, const data::Preprocessor& p) {
  const bool classes = p.task() == Task::classify;
  if (classes != has_labels(spec.loss)) {
    refuse("the set does not fit the loss", classes ? "its targets are classes" : "its targets are values");
  }
  const std::size_t expected = !classes || output_meaning(p, spec.loss).single_logit ? 1 : p.classes().size();
  if (spec.widths.back() != expected) {
    refuse("the set does not fit the model",
           "it needs " + std::to_string(expected) + " outputs, the model has " + std::to_string(spec.widths.back()));
  }
}

// What is known of data that only comes in batches.
data::Preprocessor preprocessor_of(const ModelSpec& spec) {
  const std::size_t classes = has_labels(spec.loss) ? std::max<std::size_t>(spec.widths.back(), 2) : 0;
  return preprocessor_of_rows(spec.widths.front(), classes);
}

// The options of a run that would train this model: what stands in both is the model's.
Options options_for(const ModelSpec& spec, Options options) {
  validate(spec);
  options.hidden.assign(spec.widths.begin() + 1, spec.widths.end() - 1);
  options.layer = spec.layer;
  options.activation = spec.activation;
  options.norm = spec.norm;
  options.dropout = spec.dropout;
  options.residual = spec.residual;
  options.loss = name(spec.loss);
  options.huber_delta = spec.huber_delta;
  options.label_smoothing = spec.label_smoothing;
  options.precision = spec.precision;
  options.layer_precision.clear();
  for (std::size_t i = 0; i < spec.layer_precision.size(); ++i) {
    if (spec.layer_precision[i] == spec.precision) continue;
    options.layer_precision.push_back({static_cast<std::int64_t>(i), spec.layer_precision[i]});
  }
  validate(options);
  return options;
}

TrainerConfig checked_config(const ModelSpec& spec, const Options& options, const data::Examples* examples,
                             int threads) {
  const TrainerConfig config = trainer_config(options, spec, examples ? examples->rows : 0);
  check_memory(run_shape(config, examples ? memory_of(*examples) : 0, threads));
  return config;
}

}  // namespace

struct Trainer::Impl {
  Impl(const ModelSpec& spec, std::optional<Dataset> set, const Options& given)
      : options(options_for(spec, given)),
        data(std::move(set)),
        machine(options),
        trainer(*machine.kernels, *machine.executor,
                checked_config(spec, options, examples(), machine.executor->threads()), examples()),
        preprocessor(data ? data->impl_->preprocessor : preprocessor_of(spec)) {}

  const data::Examples* examples() const { return data ? &data->impl_->examples : nullptr; }
  OutputMeaning meaning() const { return output_meaning(preprocessor, trainer.config().model.loss); }

  Options options;
  std::optional<Dataset> data;
  Machine machine;
  StepTrainer trainer;
  data::Preprocessor preprocessor;
};

Trainer::Trainer(const ModelSpec& spec, const Options& options)
    : impl_(std::make_unique<Impl>(spec, std::nullopt, options)) {}
Trainer::Trainer(const ModelSpec& spec, const Dataset& data, const Options& options) {
  validate(spec);
  check_fit(spec, data.impl_->preprocessor);
  impl_ = std::make_unique<Impl>(spec, data, options);
}
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;
Trainer::~Trainer() = default;

StepRecord Trainer::step(const Batch& batch) { return impl_->trainer.step({batch.x, batch.labels, batch.values}); }
StepRecord Trainer::step() { return impl_->trainer.step(); }
bool Trainer::done() const { return impl_->trainer.done(); }
StepCounts Trainer::counts() const { return impl_->trainer.ledger().counts(); }
const std::vector<LedgerEntry>& Trainer::ledger() const { return impl_->trainer.ledger().entries(); }
const ModelSpec& Trainer::spec() const { return impl_->trainer.config().model; }

Metrics Trainer::evaluate(const Dataset& data) {
  check_fit(spec(), data.impl_->preprocessor);
  if (data.features() != spec().widths.front()) refuse("the set does not fit the model", "it has other features");
  return impl_->trainer.evaluate(data.impl_->examples, impl_->meaning());
}

std::vector<float> Trainer::predict(std::span<const float> x) {
  return predict_rows(impl_->trainer.context(), impl_->trainer.model(), spec().loss, impl_->meaning(), x);
}

std::vector<ParameterView> Trainer::parameters() const {
  std::vector<ParameterView> list;
  for (const Parameter* p : impl_->trainer.model().parameters()) list.push_back({p->name, p->shape, p->is_trained()});
  return list;
}

namespace {

Parameter& find(Network& network, const std::string& name) {
  for (Parameter* p : network.parameters()) {
    if (p->name == name) return *p;
  }
  refuse("there is no parameter '" + name + "'", {});
}

}  // namespace

std::vector<float> Trainer::parameter(const std::string& name) { return find(impl_->trainer.model(), name).values(); }

void Trainer::set_parameter(const std::string& name, std::span<const float> values) {
  Parameter& p = find(impl_->trainer.model(), name);
  if (values.size() != p.elements()) refuse("'" + name + "' has " + std::to_string(p.elements()) + " values", {});
  p.set_values(values);
  p.pack(*impl_->machine.kernels);
}

std::vector<std::byte> Trainer::state() { return state_bytes(save_state(impl_->trainer)); }
void Trainer::set_state(std::span<const std::byte> bytes) {
  load_state(impl_->trainer, state_from_bytes(bytes));
  impl_->trainer.loaded();
}

void Trainer::save(const std::string& path) {
  save_model(path, {.preprocessor = impl_->preprocessor,
                    .spec = spec(),
                    .step = impl_->trainer.clock().applied,
                    .scaler = impl_->trainer.scaler().state(),
                    .isa = impl_->machine.kernels->name,
                    .math = impl_->options.math,
                    .config = config_of(impl_->options),
                    .tensors = impl_->trainer.model().tensors(),
                    .digest = {}});
}

}  // namespace halfstep
