#include "run/bag_training.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/rng.hpp"
#include "halfstep/error.hpp"
#include "run/bag_checkpoint.hpp"
#include "run/trainer_options.hpp"
#include "run/training.hpp"

namespace halfstep::internal {
namespace {

constexpr std::uint64_t kBagStream = 0x4241472eull << 28;
constexpr std::chrono::milliseconds kBetweenLooks{50};

// Networks differ in their first weights and in the order of their rows too; the first has the run's own.
std::uint64_t seed_of(std::uint64_t seed, std::size_t part) {
  return part == 0 ? seed : Rng(seed, kBagStream + part).u32(0);
}

// Networks that are trained side by side.
class BagTraining {
 public:
  BagTraining(const BagRun& run, const TrainObserver& observer, const std::vector<BagTask>& tasks, std::size_t later,
              BagClock::time_point start)
      : run_(run), observer_(observer), later_(later), start_(start) {
    for (const BagTask& task : tasks) {
      std::optional<TrainedNetwork> there = run.checkpoints ? run.checkpoints->take(task) : std::nullopt;
      if (!there) to_train_.push_back(networks_.size());
      networks_.push_back(there ? std::move(*there) : TrainedNetwork());
      networks_.back().task = task;
    }
    needs_one_ = tasks.front().part == 0 && to_train_.size() == tasks.size();
    saves_.resize(networks_.size());
    told_ = static_cast<std::int64_t>(networks_.size() - to_train_.size());
  }

  std::vector<TrainedNetwork> all(bool forgives) {
    forgives_ = forgives;
    const std::size_t at_a_time = std::min(networks_at_a_time(run_), to_train_.size());
    if (at_a_time <= 1) {
      on_this_thread();
    } else {
      side_by_side(at_a_time);
    }
    if (failure_) std::rethrow_exception(failure_);
    for (std::size_t i = begun_; i < to_train_.size(); ++i) networks_[to_train_[i]].result.stopped = true;
    return std::move(networks_);
  }

 private:
  struct Save {
    CheckpointReport report;
    std::exception_ptr failure;
  };

  // Threads that end when it does, whatever is thrown meanwhile.
  struct Crew {
    explicit Crew(BagTraining& of) : of(of) {}
    ~Crew() {
      of.stop_ = true;
      for (std::thread& thread : threads) thread.join();
    }
    BagTraining& of;
    std::vector<std::thread> threads;
  };

  void on_this_thread() {
    const auto asked = [&] { return asks_to_stop(); };
    if (asks_to_stop()) stop_ = true;
    for (std::optional<std::size_t> i = next(); i; i = next()) {
      try_to_train(*i, asked);
      tell(to_train_[*i]);
      if (asks_to_stop()) stop_ = true;
    }
  }

  // This thread only looks after the others and calls who watches.
  void side_by_side(std::size_t at_a_time) {
    if (asks_to_stop()) stop_ = true;
    Crew crew(*this);
    for (std::size_t i = 0; i < at_a_time; ++i) {
      try {
        crew.threads.emplace_back([this] { work(); });
      } catch (const std::system_error&) {
        break;  // the system gives no more: fewer will do
      }
    }
    if (crew.threads.empty()) return on_this_thread();
    std::unique_lock lock(mutex_);
    for (std::size_t working = crew.threads.size(); working > 0;) {
      changed_.wait_for(lock, kBetweenLooks);
      const std::vector<std::size_t> ended = std::exchange(ended_, {});
      working = crew.threads.size() - at_rest_;
      lock.unlock();
      for (const std::size_t n : ended) tell(n);
      if (asks_to_stop()) stop_ = true;
      lock.lock();
    }
  }

  void work() {
    for (std::optional<std::size_t> i = next(); i; i = next()) {
      try_to_train(*i, [this] { return stop_.load(); });
      const std::lock_guard lock(mutex_);
      ended_.push_back(to_train_[*i]);
      changed_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    ++at_rest_;
    changed_.notify_all();
  }

  std::optional<std::size_t> next() {
    const std::lock_guard lock(mutex_);
    if ((stop_ && (begun_ > 0 || !needs_one_)) || begun_ == to_train_.size()) return std::nullopt;
    return begun_++;
  }

  // `i`: place in to_train_.
  void try_to_train(std::size_t i, const std::function<bool()>& should_stop) {
    try {
      train(i, should_stop);
    } catch (const Error& error) {
      if (!forgives_ || error.status() != Status::diverged) fail();
    } catch (...) {
      fail();
    }
  }

  void fail() {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    stop_ = true;
  }

  // Each of the rounds that are left has as much of what is left of the time.
  double time_limit(std::size_t i) const {
    const std::size_t at_a_time = networks_at_a_time(run_), left = to_train_.size() - i + later_;
    const auto rounds = static_cast<double>((left + at_a_time - 1) / at_a_time);
    return std::max((run_.options().time_limit - seconds_of(start_)) / rounds, 1e-3);
  }

  void train(std::size_t i, const std::function<bool()>& should_stop) {
    TrainedNetwork& out = networks_[to_train_[i]];
    const data::Split& part = run_.parts[out.task.part];
    Options options = options_of_task(run_, out.task);
    if (options.time_limit > 0) options.time_limit = time_limit(i);
    const Machine machine(options);
    const data::Examples rows = data::take_rows(run_.prepared.train, part.train);
    const data::Examples held_out = data::take_rows(run_.prepared.train, part.validation);
    StepTrainer trainer(*machine.kernels, *machine.executor, config_of_task(run_, out.task), &rows);
    Training training(options, trainer, run_.meaning, &held_out, nullptr);
    TrainObserver observer;
    observer.should_stop = should_stop;
    observer.on_epoch = [&](const EpochReport& report) { out.told.epochs = report.epoch; };
    out.result = training.run(observer);
    out.told.number = static_cast<std::int64_t>(out.task.part) + 1;
    out.told.best_epoch = out.result.best_epoch;
    out.told.held_out_rows = static_cast<std::int64_t>(held_out.rows);
    out.told.metric = from_name<MetricKind>(out.result.metric).value_or(MetricKind::loss);
    out.told.held_out = value_of(out.result.eval, out.told.metric);
    out.told.seconds = out.result.seconds;
    out.applied = training.applied();
    out.scaler = trainer.scaler().state();
    out.tensors = trainer.model().tensors();
    out.said.emplace(held_out.rows, trainer.model().shape().widths.back());
    out.said->set(0, trainer.context(), trainer.model(), held_out, run_.meaning);
    if (run_.checkpoints && run_.checkpoints->saves() && out.has_ended()) save(out, saves_[to_train_[i]]);
  }

  // What fails is told by the thread that calls who watches.
  void save(TrainedNetwork& network, Save& outcome) const {
    try {
      outcome.report = run_.checkpoints->save(network);
    } catch (...) {
      outcome.failure = std::current_exception();
    }
  }

  bool asks_to_stop() const {
    if (observer_.should_save && observer_.should_save() && observer_.on_warning) {
      observer_.on_warning("nothing to save now: each network of a bag is saved when it has ended");
    }
    return observer_.should_stop && observer_.should_stop();
  }
  void tell(std::size_t n) {
    tell_save(n);
    if (networks_[n].said && observer_.on_network)
      observer_.on_network(networks_[n].told, ++told_, static_cast<std::int64_t>(networks_.size()));
  }

  void tell_save(std::size_t n) {
    const Save& save = saves_[n];
    if (!save.report.path.empty()) {
      run_.checkpoints->saved(save.report.path);
      if (observer_.on_checkpoint) observer_.on_checkpoint(save.report);
    }
    if (!save.failure) return;
    std::string text = "network " + std::to_string(networks_[n].told.number) + " is not saved: ";
    try {
      std::rethrow_exception(save.failure);
    } catch (const std::exception& error) {
      text += error.what();
    }
    networks_[n].result.warnings.push_back(text);
    if (observer_.on_warning) observer_.on_warning(text);
  }

  const BagRun& run_;
  const TrainObserver& observer_;
  std::vector<TrainedNetwork> networks_;
  std::vector<std::size_t> to_train_;  // of these
  std::vector<Save> saves_;            // of each
  std::size_t later_;
  BagClock::time_point start_;
  bool forgives_ = false;
  bool needs_one_;  // a run that is stopped at once has a network all the same
  std::atomic<bool> stop_ = false;
  std::int64_t told_ = 0;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::size_t begun_ = 0, at_rest_ = 0;
  std::vector<std::size_t> ended_;  // and not told yet
  std::exception_ptr failure_;
};

}  // namespace

double seconds_of(BagClock::time_point start) { return std::chrono::duration<double>(BagClock::now() - start).count(); }

TrainerConfig config_of_task(const BagRun& run, const BagTask& task) {
  return trainer_config(options_of_task(run, task), run.settings[task.settings].spec,
                        run.parts[task.part].train.size());
}

Options options_of_task(const BagRun& run, const BagTask& task) {
  Options options = run.settings[task.settings].options;
  options.seed = seed_of(options.seed, task.part);
  options.checkpoint_dir.clear();  // a network is saved when it has ended
  options.resume.clear();
  options.threads = std::max(1, run.machine.executor->threads() / static_cast<int>(networks_at_a_time(run)));
  return options;
}

std::size_t networks_at_a_time(const BagRun& run) {
  if (run.options().threads_of_host) return 1;  // they have threads of their own
  return std::min(static_cast<std::size_t>(run.machine.executor->threads()), run.parts.size());
}

std::vector<TrainedNetwork> train_side_by_side(const BagRun& run, const TrainObserver& observer,
                                               const std::vector<BagTask>& tasks, std::size_t later,
                                               BagClock::time_point start, bool forgives) {
  return BagTraining(run, observer, tasks, later, start).all(forgives);
}

}  // namespace halfstep::internal
