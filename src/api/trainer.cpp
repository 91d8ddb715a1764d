#include "halfstep/trainer.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>

#include "api/dataset_impl.hpp"
#include "api/fork_check.hpp"
#include "api/model_impl.hpp"
#include "api/outputs.hpp"
#include "api/refuse.hpp"
#include "base/state_bytes.hpp"
#include "data/embedded_column.hpp"
#include "doctor/watch.hpp"
#include "halfstep/error.hpp"
#include "loss/loss.hpp"
#include "run/capsule_file.hpp"
#include "run/data_words.hpp"
#include "run/machine.hpp"
#include "run/memory_check.hpp"
#include "run/model_file.hpp"
#include "run/output_meaning.hpp"
#include "run/trainer_options.hpp"
#include "train/step_budget.hpp"
#include "train/trainer.hpp"

namespace halfstep {

using namespace internal;

namespace {

[[noreturn]] void refuse_state(std::string what, std::string hint) {
  throw Error(Status::state, {.what = std::move(what), .where = {}, .why = {}, .kept = {}, .hint = std::move(hint)});
}

[[noreturn]] void throw_without_set() { refuse_state("this trainer has no set", "step(batch)"); }

// Whether the outputs of a model and the targets of a set are of one kind.
void check_fit(const ModelSpec& spec, const data::Preprocessor& p) {
  const bool classes = p.task() == Task::classify;
  if (classes != has_labels(spec.loss)) {
    refuse("the set does not fit the loss", classes ? "its targets are classes" : "its targets are values");
  }
  // Rows from memory come as the layers want them.
  if (!p.recipe().is_matrix && !data::same_inputs(data::embedded_columns(p.recipe()), spec.embedded)) {
    refuse("the set does not fit the model", "ModelSpec::embedded is not Dataset::embedded(), but for periodic");
  }
  const OutputMeaning meaning = output_meaning(p, spec.loss);
  const std::size_t expected = !classes ? meaning.targets.size() : meaning.single_logit ? 1 : p.classes().size();
  if (spec.widths.back() != expected) {
    refuse("the set does not fit the model",
           "it needs " + std::to_string(expected) + " outputs, the model has " + std::to_string(spec.widths.back()));
  }
}

// What is known of data that only comes in batches.
data::Preprocessor preprocessor_of(const ModelSpec& spec) {
  const std::size_t classes = has_labels(spec.loss) ? std::max<std::size_t>(spec.widths.back(), 2) : 0;
  return preprocessor_of_rows(spec.widths.front(), classes, spec.widths.back());
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
  options.auto_precision = false;
  options.layer_precision.clear();
  for (std::size_t i = 0; i < spec.layer_precision.size(); ++i) {
    if (spec.layer_precision[i] == spec.precision) continue;
    options.layer_precision.push_back({static_cast<std::int64_t>(i), spec.layer_precision[i]});
  }
  validate(options);
  if (options.ema > 0 || options.average_epochs > 0) {
    refuse("this trainer does not average weights", "ema and average_epochs are of train(data, options)");
  }
  if (options.schedule == "plateau") {
    refuse("this trainer has no schedule plateau", "nothing is held out here that it could go by");
  }
  return options;
}

TrainerConfig checked_config(const ModelSpec& spec, const Options& options, const data::Examples* examples,
                             int threads) {
  TrainerConfig config = trainer_config(options, spec, examples ? examples->rows : 0);
  config.keeps_best = false;  // its steps are the caller's, who decides when they end
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

  SavedModel saved();
  StepsMade make_steps(std::optional<std::chrono::nanoseconds> time);

  const data::Examples* examples() const { return data ? &data->impl_->examples : nullptr; }
  OutputMeaning meaning() const { return output_meaning(preprocessor, trainer.config().model.loss); }

  Options options;
  std::optional<Dataset> data;
  Machine machine;
  StepTrainer trainer;
  data::Preprocessor preprocessor;
  ForkCheck fork_check;
  StepBudget budget;
  std::atomic<bool> stop = false;
  static_assert(std::atomic<bool>::is_always_lock_free);  // for signal handlers
  std::optional<Capsule> capsule;
  std::unique_ptr<IncidentWatch> watch;
  mutable std::mutex published_turn;
  std::optional<Model> published;
};

const std::string& Trainer::machine() const { return impl_->machine.description; }

SavedModel Trainer::Impl::saved() {
  return {.preprocessor = preprocessor,
          .spec = trainer.config().model,
          .step = trainer.clock().applied,
          .scaler = trainer.scaler().state(),
          .isa = machine.kernels->name,
          .math = options.math,
          .config = config_of(options),
          .tensors = trainer.model().tensors(),
          .digest = {}};
}

StepsMade Trainer::Impl::make_steps(std::optional<std::chrono::nanoseconds> time) {
  using Clock = std::chrono::steady_clock;
  StepsMade made;
  const auto start = Clock::now();
  auto now = start;
  while (true) {
    made.stopped = stop.exchange(false);
    const bool goes_on = time ? budget.has_room(now - start, *time) : !trainer.done();
    if (made.stopped || !goes_on) break;
    const auto begin = now;
    trainer.step();
    ++made.steps;
    now = Clock::now();
    budget.timed(now - begin);
  }
  made.elapsed = now - start;
  if (!time) return made;
  made.overrun = std::max(made.elapsed - *time, std::chrono::nanoseconds::zero());
  budget.finish(made.elapsed, *time);
  return made;
}

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

StepRecord Trainer::step(const Batch& batch) {
  impl_->fork_check();
  return impl_->trainer.step({batch.x, batch.labels, batch.values});
}
StepRecord Trainer::step() {
  impl_->fork_check();
  return impl_->trainer.step();
}
StepsMade Trainer::train_for(std::chrono::nanoseconds budget) {
  impl_->fork_check();
  if (!impl_->data) throw_without_set();
  return impl_->make_steps(std::max(budget, std::chrono::nanoseconds::zero()));
}
StepsMade Trainer::train() {
  impl_->fork_check();
  if (!impl_->data) throw_without_set();
  return impl_->make_steps({});
}
void Trainer::request_stop() noexcept { impl_->stop.store(true); }
bool Trainer::take_stop_request() noexcept { return impl_->stop.exchange(false); }

Model Trainer::snapshot() {
  return Model(std::make_shared<const Model::Impl>(impl_->saved(), *impl_->machine.kernels));
}
void Trainer::publish() {
  Model model = snapshot();
  const std::lock_guard lock(impl_->published_turn);
  impl_->published = std::move(model);
}
Model Trainer::published() const {
  const std::lock_guard lock(impl_->published_turn);
  if (!impl_->published) refuse_state("nothing was published yet", "publish() comes first");
  return *impl_->published;
}
bool Trainer::done() const { return impl_->trainer.done(); }
void Trainer::on_incident(std::function<void(const Incident&)> see) {
  Impl& impl = *impl_;
  impl.watch.reset();
  if (!see) return;
  impl.watch = std::make_unique<IncidentWatch>(
      impl.trainer, data_words(impl.preprocessor), nullptr,
      [&impl, see = std::move(see)](Incident& incident, const Capsule& capsule) {
        impl.capsule = capsule;
        see(incident);
      },
      true);
}
std::vector<std::byte> Trainer::capsule() const {
  if (!impl_->capsule) return {};
  SavedModel saved = impl_->saved();
  saved.step = impl_->capsule->clock.applied;
  return capsule_bytes(saved, *impl_->capsule);
}

StepCounts Trainer::counts() const { return impl_->trainer.ledger().counts(); }
const std::vector<LedgerEntry>& Trainer::ledger() const { return impl_->trainer.ledger().entries(); }
const ModelSpec& Trainer::spec() const { return impl_->trainer.config().model; }

Metrics Trainer::evaluate(const Dataset& data) {
  check_fit(spec(), data.impl_->preprocessor);
  if (data.features() != spec().widths.front()) refuse("the set does not fit the model", "it has other features");
  return impl_->trainer.evaluate(data.impl_->examples, impl_->meaning(), {.ranking = true});
}

std::vector<float> Trainer::predict(std::span<const float> x) {
  impl_->fork_check();
  RowPredictor rows(impl_->trainer.context(), impl_->trainer.model(), spec().loss, impl_->meaning());
  std::vector<float> out(rows.outputs_for(x.size()));
  rows.run(x, out.data());
  return out;
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

void Trainer::save(const std::string& path) { save_model(path, impl_->saved()); }

}  // namespace halfstep
