// Training, one step at a time, on data in memory.
//
//   ModelSpec spec = {.widths = {features, 64, classes}};
//   Trainer trainer(spec, Dataset::classes(features, x, labels));
//   while (!trainer.done()) trainer.step();
//   trainer.save("model.safetensors");
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "halfstep/dataset.hpp"
#include "halfstep/incident.hpp"
#include "halfstep/ledger.hpp"
#include "halfstep/metrics.hpp"
#include "halfstep/model.hpp"
#include "halfstep/model_spec.hpp"
#include "halfstep/options.hpp"

namespace halfstep {

// Rows that the caller holds for the length of a call.
struct Batch {
  std::span<const float> x;              // rows x inputs, row-major
  std::span<const std::int32_t> labels;  // of each row, from 0: for the two cross-entropies
  std::span<const float> values;         // rows x outputs: for the other losses
};

// A parameter of the model, or a statistic that it follows.
struct ParameterView {
  std::string name;                // "layers.0.weight"
  std::vector<std::size_t> shape;  // [outputs, inputs] or [outputs]
  bool trained = true;
};

// What a call that makes several steps did.
struct StepsMade {
  std::int64_t steps = 0;              // attempted
  std::chrono::nanoseconds elapsed{};  // of the call
  std::chrono::nanoseconds overrun{};  // beyond its budget
  bool stopped = false;                // by request_stop
};

// Owns a network, its optimizer and its threads. One thread at a time may call it, but for request_stop and published;
// several trainers in several threads do not disturb each other. Nothing here prints, and the floating-point
// environment of the caller stays as it is. In a child that was forked steps and predictions throw Error(state).
class Trainer {
 public:
  // Batches are the caller's. Of `options` count: threads, isa, math, seed; the loss scale, clipping, optimizer,
  // learning rate and its schedule; batch (rows that BatchNorm takes its statistics over: a larger step goes in parts).
  // A schedule that ends needs options.steps; without, the rate stays what it is after the warmup. Throws
  // Error(invalid_argument, unsupported, out_of_memory).
  explicit Trainer(const ModelSpec& spec, const Options& options = {});
  // The same, with a set to go through: options.epochs, steps, batch and accumulate are as in `halfstep train`. Throws
  // Error(invalid_argument) too where the set does not fit the model.
  Trainer(const ModelSpec& spec, const Dataset& data, const Options& options = {});
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;
  ~Trainer();

  // One step on any number of rows. Gradients that are not finite change no weight, and the record says why: that is
  // data, not an error. Throws Error(invalid_argument) where the batch does not fit the model.
  StepRecord step(const Batch& batch);
  // One step on the next rows of the set: each epoch has an order of its own. Throws Error(state) without a set.
  StepRecord step();
  bool done() const;  // the planned steps are made; more can follow

  // As many steps on the set as the budget has room for by the time that earlier ones took; also past the end of an
  // epoch or of the plan. Where a step takes longer than the budget, one is made each time that the budgets since the
  // last have added up to it. Throws Error(state) without a set.
  StepsMade train_for(std::chrono::nanoseconds budget);
  // Steps on the set until done() or a stop.
  StepsMade train();
  // train and train_for return before their next step; without one of them running, the next does. From any thread or
  // signal handler, as long as the trainer is neither moved nor destroyed meanwhile.
  void request_stop() noexcept;
  // For loops of the caller's own: whether a stop was requested, which this takes back.
  bool take_stop_request() noexcept;

  // The weights as they are now, as a model of its own.
  Model snapshot();
  // Makes a snapshot what published() gives from now on.
  void publish();
  // The last that was published: from any thread, while another trains. Throws Error(state) before the first.
  Model published() const;

  // From now on `see` hears of each step that is withheld, explained, within the call that makes it: a step that the
  // loss scale spoiled too. Explaining runs the step a few times more, on a network of its own; healthy steps pay
  // nothing. What `see` throws comes out of that call. Empty: nobody hears of them.
  void on_incident(std::function<void(const Incident&)> see);
  // The last step that was explained, with its weights and rows: a file's bytes, for diagnose() and `halfstep doctor`.
  // Empty: there was none.
  std::vector<std::byte> capsule() const;

  StepCounts counts() const;                       // of all steps so far, those in a state that was set included
  const std::vector<LedgerEntry>& ledger() const;  // why steps were skipped or retried
  const ModelSpec& spec() const;                   // valid as long as the trainer
  // ISA and threads in use, with the reasons: "avx2 (best that this CPU runs), 2 threads (asked for)".
  const std::string& machine() const;

  // Quality on a set that fits the model.
  Metrics evaluate(const Dataset& data);
  // Outputs for rows x inputs numbers: rows x outputs, probabilities of classes or values. Of a binary cross-entropy
  // with one output: the probability of class 1. Throws Error(invalid_argument).
  std::vector<float> predict(std::span<const float> x);

  // Parameters in the order of model files.
  std::vector<ParameterView> parameters() const;
  // The fp32 values of one, row-major. Throws Error(invalid_argument) for an unknown name.
  std::vector<float> parameter(const std::string& name);
  // Replaces them. Throws Error(invalid_argument) for an unknown name or another number of values.
  void set_parameter(const std::string& name, std::span<const float> values);

  // All that further steps depend on, as bytes: weights, moments, loss scale, counters, place in the epoch.
  std::vector<std::byte> state();
  // Takes them into a trainer of the same spec, options and data; steps that follow have the bits they would have had.
  // Throws Error(format), and then changes nothing.
  void set_state(std::span<const std::byte> bytes);

  // A model file as `halfstep train` writes, durable and at once. Throws Error(io); an old file is then untouched.
  void save(const std::string& path);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace halfstep
