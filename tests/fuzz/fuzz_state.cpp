// The state of a run, without files: the first byte of the input chooses a trainer, then each change takes three bytes
// (which entry, how, with what), as Draw reads them. A trainer loads the changed state and makes two steps with it, or
// refuses it and is as it was; a recorder for a page goes on with it, or refuses it.
#include <cmath>
#include <cstring>
#include <memory>

#include "fuzz/support.hpp"
#include "kernels/dispatch.hpp"
#include "run/report_recorder.hpp"
#include "train/trainer.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

constexpr std::size_t kRows = 10, kInputs = 2, kClasses = 2;

data::Examples examples() {
  data::Examples set;
  set.rows = kRows;
  set.features = kInputs;
  for (std::size_t i = 0; i < kRows; ++i) {
    set.x.push_back(std::sin(static_cast<float>(i)));
    set.x.push_back(std::cos(static_cast<float>(3 * i)));
    set.labels.push_back(static_cast<std::int32_t>(i % kClasses));
  }
  return set;
}

TrainerConfig config_of(std::size_t variant) {
  TrainerConfig c;
  c.model.widths = {kInputs, 3, kClasses};
  c.rows = kRows;
  c.batch = 3;
  c.schedule.lr = 0.01;
  c.schedule.steps = 100;
  c.keeps_best = c.averages = true;
  if (variant == 1) c.model.norm = Norm::batch, c.model.dropout = 0.5, c.model.precision = Dtype::fp16;
  if (variant == 2) c.optimizer.master = MasterKind::kahan, c.optimizer.moments = Dtype::bf16, c.averages = false;
  if (variant == 3) c.model.precision = Dtype::fp16, c.headroom = true, c.optimizer.kind = OptimizerKind::sgd;
  return c;
}

// All that a checkpoint has of a run, at rest after four steps.
struct Run {
  std::unique_ptr<Executor> executor = make_executor(1, "serial");
  data::Examples set = examples();
  StepTrainer trainer;
  State state, page;

  explicit Run(std::size_t variant) : trainer(select_isa(), *executor, config_of(variant), &set) {
    ReportRecorder recorder;
    for (int i = 0; i < 4; ++i) {
      recorder.begin_step();
      recorder.end_step(trainer.step(), false);
    }
    trainer.keep_best();
    recorder.add(EpochReport{});
    state = save_state(trainer);
    page = save_state(recorder);
  }
};

Run& run_of(std::size_t variant) {
  static Run all[] = {Run(0), Run(1), Run(2), Run(3)};
  return all[variant];
}

template <class T>
void put(StateEntry& e, T value) {
  if (e.bytes.size() >= sizeof value) std::memcpy(e.bytes.data(), &value, sizeof value);
}

void change(State& state, fuzz::Draw& draw) {
  constexpr double kNumbers[] = {
      0,     -0.0, 1,      -1,   0.5,    HUGE_VAL, -HUGE_VAL, std::numeric_limits<double>::quiet_NaN(),
      1e300, 1e38, 5e-324, 2e-9, 65536.0};
  constexpr std::int64_t kIntegers[] = {0,         1,         -1,        2,         5,       99,           INT64_MAX,
                                        INT64_MIN, 1LL << 32, 1LL << 47, 1LL << 48, 1 << 20, INT64_MAX - 3};
  const std::size_t at = draw.below(256) % state.entries.size();
  StateEntry& e = state.entries[at];
  const std::size_t how = draw.below(8), what = draw.below(256);
  switch (how) {
    case 0:
    case 1:
      return put(e, kNumbers[what % std::size(kNumbers)]);
    case 2:
    case 3:
      return put(e, kIntegers[what % std::size(kIntegers)]);
    case 4:
      if (!e.bytes.empty()) e.bytes[what % e.bytes.size()] ^= std::byte(1u << what / 32);
      return;
    case 5:
      state.entries.erase(state.entries.begin() + static_cast<std::ptrdiff_t>(at));
      return;
    case 6:
      e.bytes.resize(what);
      e.elements = what / size_of(e.type);
      return;
    default:
      e.type = static_cast<StateType>(what % 7);
  }
}

State changed(const State& from, fuzz::Draw& draw) {
  State state = from;
  for (std::size_t count = draw.below(4); count > 0 && state.entries.size() > 1; --count) change(state, draw);
  return state;
}

void check_page(const State& page) {
  ReportRecorder recorder;
  if (!fuzz::succeeds([&] { load_state(recorder, page); })) return;
  StepRecord record;
  record.step = 5;
  recorder.begin_step();
  recorder.end_step(record, false);
  recorder.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::Draw draw(bytes, size);
  Run& run = run_of(draw.below(4));
  const State state = changed(run.state, draw);
  if (fuzz::succeeds([&] { load_state(run.trainer, state); })) {
    run.trainer.loaded();
    run.trainer.step();
    run.trainer.step();
  } else {
    fuzz::require(save_state(run.trainer) == run.state, "a trainer that refuses a state is as it was");
  }
  load_state(run.trainer, run.state);
  run.trainer.loaded();
  if (draw.below(8) == 7) check_page(changed(run.page, draw));
  return 0;
}
