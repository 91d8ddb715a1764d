// hs_trainer_... of halfstep.h: steps and runs.
#include "halfstep/trainer.hpp"

#include <chrono>
#include <memory>
#include <utility>

#include "api/c/arguments.hpp"
#include "api/c/handles.hpp"

using namespace halfstep;
using namespace halfstep::internal::c_abi;
using halfstep::internal::FpEnvGuard;

namespace {

static_assert(HS_OUTCOME_SKIPPED == static_cast<int>(StepOutcome::skipped));
static_assert(HS_CAUSE_UNSCALE == static_cast<int>(StepCause::unscale));

hs_step_record record_of(const StepRecord& record) {
  return {.struct_size = sizeof(hs_step_record),
          .outcome = static_cast<int32_t>(record.outcome),
          .cause = static_cast<int32_t>(record.cause),
          .reruns = record.reruns,
          .step = record.step,
          .applied = record.applied,
          .loss = record.loss,
          .lr = record.lr,
          .loss_scale = record.loss_scale,
          .grad_norm = record.grad_norm};
}

// Before a step, for one that is made cannot be taken back.
void check_record(const hs_step_record* record) {
  if (record != nullptr) check_struct(record, HS_STEP_RECORD_LEAST, "hs_step_record");
}

void tell(const StepRecord& made, hs_step_record* record) {
  if (record != nullptr) write_struct(record, record_of(made));
}

// In the floating-point environment of the host.
int32_t ask(hs_progress callback, const StepRecord& made, void* user_data, FpEnvGuard::Word host) {
  const hs_step_record record = record_of(made);
  const FpEnvScope fp_env(host);
  try {
    return callback(&record, user_data);
  } catch (...) {
    refuse("the run was stopped", "its callback threw an exception", Status::internal);
  }
}

}  // namespace

hs_status hs_trainer_create(const hs_model_spec* spec, const hs_dataset* data, const hs_config* config,
                            hs_trainer** out) {
  Log log;
  return call_free([&] {
    hs_trainer*& made = place(out, "out");
    const ModelSpec model = spec_of(spec);
    const Options options = options_of(config);
    if (data != nullptr) require_live(data);
    Trainer trainer = data != nullptr ? Trainer(model, data->data, options) : Trainer(model, options);
    auto handle = std::make_unique<hs_trainer>(std::move(trainer), data != nullptr);
    log.open(config);
    log(HS_LOG_INFO, handle->trainer.machine());
    made = handle.release();
  });
}

hs_status hs_trainer_destroy(hs_trainer* trainer) { return destroy(trainer); }

const char* hs_trainer_message(const hs_trainer* trainer) { return message_of(trainer); }

hs_status hs_trainer_step(hs_trainer* trainer, hs_step_record* record) {
  return call(trainer, [&](hs_trainer& t) {
    check_record(record);
    tell(t.trainer.step(), record);
  });
}

hs_status hs_trainer_step_batch(hs_trainer* trainer, const hs_batch* batch, hs_step_record* record) {
  return call(trainer, [&](hs_trainer& t) {
    check_record(record);
    const hs_batch c = read_struct(batch, HS_BATCH_LEAST, "hs_batch");
    if (c.reserved != 0) refuse("a reserved field is not 0", "");
    const Rows rows = rows_for(t.trainer.spec().widths.front(), &c.x);
    const auto labels = array(c.labels, c.label_count, "labels");
    const auto values = array(c.values, c.value_count, "values");
    tell(t.trainer.step({.x = rows.x(), .labels = labels, .values = values}), record);
  });
}

hs_status hs_trainer_done(hs_trainer* trainer, int32_t* done) {
  return call(trainer, [&](hs_trainer& t) { place(done, "done") = t.trainer.done() ? 1 : 0; });
}

hs_status hs_trainer_run(hs_trainer* trainer, hs_progress callback, void* user_data) {
  const FpEnvGuard::Word host = FpEnvGuard::read();
  return call(trainer, [&](hs_trainer& t) {
    if (!t.has_set) refuse("there are no rows to run over", "the trainer was made without a data set", Status::state);
    while (!t.trainer.done()) {
      if (t.trainer.take_stop_request()) refuse("the run was stopped", "as asked for", Status::cancelled);
      const StepRecord made = t.trainer.step();
      if (callback != nullptr && ask(callback, made, user_data, host) != 0) {
        refuse("the run was stopped", "its callback asked for it", Status::cancelled);
      }
    }
  });
}

hs_status hs_trainer_request_stop(hs_trainer* trainer) {
  static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may not wait
  if (trainer == nullptr || !trainer->looks_like(hs_trainer::kKind)) return HS_STATUS_INVALID_ARGUMENT;
  trainer->trainer.request_stop();
  return HS_STATUS_OK;
}

hs_status hs_trainer_train_for(hs_trainer* trainer, int64_t budget_ns, hs_steps_made* made) {
  return call(trainer, [&](hs_trainer& t) {
    if (made != nullptr) check_struct(made, HS_STEPS_MADE_LEAST, "hs_steps_made");
    const StepsMade m = t.trainer.train_for(std::chrono::nanoseconds(budget_ns));
    if (made == nullptr) return;
    write_struct(made, {.struct_size = 0,
                        .stopped = m.stopped ? 1 : 0,
                        .steps = m.steps,
                        .elapsed_ns = m.elapsed.count(),
                        .overrun_ns = m.overrun.count()});
  });
}

hs_status hs_trainer_snapshot(hs_trainer* trainer, hs_model** out) {
  return call(trainer, [&](hs_trainer& t) {
    hs_model*& made = place(out, "out");
    made = std::make_unique<hs_model>(t.trainer.snapshot()).release();
  });
}

hs_status hs_trainer_publish(hs_trainer* trainer) {
  return call(trainer, [](hs_trainer& t) { t.trainer.publish(); });
}

hs_status hs_trainer_published(const hs_trainer* trainer, hs_model** out) {
  return call_shared(trainer, [&](const hs_trainer& t) {
    hs_model*& made = place(out, "out");
    made = std::make_unique<hs_model>(t.trainer.published()).release();
  });
}

hs_status hs_trainer_counts(hs_trainer* trainer, hs_step_counts* counts) {
  return call(trainer, [&](hs_trainer& t) {
    check_struct(counts, HS_STEP_COUNTS_LEAST, "hs_step_counts");
    const StepCounts c = t.trainer.counts();
    write_struct(counts, {.struct_size = 0,
                          .reserved = 0,
                          .attempted = c.attempted,
                          .applied = c.applied,
                          .retried = c.retried,
                          .skipped = c.skipped});
  });
}

hs_status hs_trainer_evaluate(hs_trainer* trainer, const hs_dataset* data, hs_metrics* metrics) {
  return call(trainer, [&](hs_trainer& t) {
    check_struct(metrics, HS_METRICS_LEAST, "hs_metrics");
    require_live(data);
    const Metrics m = t.trainer.evaluate(data->data);
    write_struct(metrics, {.struct_size = 0,
                           .classification = m.classification ? 1 : 0,
                           .rows = m.rows,
                           .non_finite = m.non_finite,
                           .loss = m.loss,
                           .accuracy = m.accuracy,
                           .rmse = m.rmse,
                           .r2 = m.r2});
  });
}

hs_status hs_trainer_predict(hs_trainer* trainer, const hs_matrix* x, float* buffer, uint64_t capacity,
                             uint64_t* needed) {
  return call(trainer, [&](hs_trainer& t) { predict_into(t.trainer, x, buffer, capacity, needed); });
}
