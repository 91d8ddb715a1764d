#include "run/step_trials.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <vector>

#include "amp/step_cause.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal {
namespace {

using Time = std::chrono::steady_clock;

constexpr std::int64_t kMostAgo = 160;    // steps between the begin and what went wrong
constexpr std::int64_t kMostBeyond = 32;  // steps that a trial has to stay finite after that
constexpr int kMostRates = 24;            // tenths of tenths
constexpr double kNoWorse = 1.25;         // of the loss that it began with a loss ends at, but for the noise of batches

class Trials {
 public:
  Trials(StepTrainer& trainer, const data::Examples& set, bool from_seed, const TrialBounds& bounds)
      : trainer_(trainer),
        set_(set),
        from_seed_(from_seed && trainer.clock().attempted <= kMostAgo),
        steps_left_(bounds.steps),
        end_(Time::now() + std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(bounds.seconds))) {}

  std::string run() {
    const Outcome as_it_was = make(1, trainer_.config().clip.norm, 0);
    if (as_it_was.bad_step == 0) return {};
    std::string text = "the " + std::to_string(ago_) + " steps from " +
                       (from_seed_ ? std::string("the start")
                                   : "the weights after " + std::to_string(good_applied_) + " applied steps") +
                       " made again: ";
    const std::int64_t beyond = std::min(ago_, kMostBeyond) + 8;
    text += rates(beyond);
    if (const double norm = usual_norm(); norm > 0) text += "; " + words("--clip-norm ", norm, make(1, norm, beyond));
    return text;
  }

 private:
  struct Outcome {
    bool done = false;
    std::int64_t bad_step = 0;  // 0: all were finite
    std::int64_t steps = 0;
    double first_loss = 0, last_loss = 0;  // of the first step, mean of the last ones
    bool helps() const { return done && bad_step == 0 && last_loss <= kNoWorse * first_loss; }
  };

  // A tenth, and the first at which the loss does not rise either, or the last.
  std::string rates(std::int64_t beyond) {
    const double lr = trainer_.config().schedule.lr * trainer_.rate_factor();
    std::string text;
    double factor = 1;
    for (int i = 0; i < kMostRates; ++i) {
      factor /= 10;
      const Outcome o = make(factor, trainer_.config().clip.norm, beyond);
      const bool last = o.helps() || !o.done || i + 1 == kMostRates;
      if (i == 0 || last) text += (text.empty() ? "" : ", ") + words("--lr ", lr * factor, o);
      if (last) break;
    }
    return text;
  }

  static std::string words(const char* flag, double value, const Outcome& o) {
    const std::string what = flag + short_number(value, 3);
    if (o.bad_step > 0) return what + " is not finite at step " + std::to_string(o.bad_step) + " either";
    if (!o.done) return what + " took too long to try";
    const std::string losses = short_number(o.first_loss, 3) + " to " + short_number(o.last_loss, 3);
    const std::string steps = " stays finite for " + std::to_string(o.steps) + " steps, ";
    return what + steps + (o.helps() ? "loss " : "but the loss goes from ") + losses;
  }

  // Of those of the last steps that came first, which were the soundest: the median of the norms. 0: there is none to
  // clip at.
  double usual_norm() const {
    std::vector<double> norms;
    for (const StepFigures& s : trainer_.recent().list()) {
      if (s.outcome != StepOutcome::skipped && std::isfinite(s.grad_norm) && s.grad_norm > 0)
        norms.push_back(s.grad_norm);
    }
    norms.resize((norms.size() + 1) / 2);
    if (norms.empty()) return 0;
    std::sort(norms.begin(), norms.end());
    const double norm = norms[(norms.size() - 1) / 2], now = trainer_.config().clip.norm;
    return now > 0 && now <= norm ? 0 : norm;
  }

  // Up to the step that went wrong, and as many as `beyond` after it.
  Outcome make(double factor, double clip_norm, std::int64_t beyond) {
    Outcome out;
    if (!from_seed_ && !trainer_.has_last_good()) return out;
    TrainerConfig config = trainer_.config();
    config.clip.norm = clip_norm;
    config.meter_every = 0;
    config.keeps_best = config.averages = false;
    StepTrainer trial(trainer_.context().kernels, trainer_.context().executor, config, &set_);
    if (!from_seed_) trial.begin_at_last_good_of(trainer_);
    good_applied_ = trial.clock().applied;
    ago_ = trainer_.clock().attempted - trial.clock().attempted;
    if (ago_ > kMostAgo) return out;
    trial.set_rate_factor(trainer_.rate_factor() * factor);
    std::vector<double> losses;
    for (std::int64_t i = 0; i < ago_ + beyond; ++i) {
      if (steps_left_-- <= 0 || Time::now() > end_) return out;
      const StepRecord record = trial.step();
      ++out.steps;
      if (record.outcome != StepOutcome::skipped) {
        losses.push_back(record.loss);
      } else if (!smaller_scale_helps(record.cause) || trial.scaler().at_minimum()) {
        out.bad_step = record.step;
        break;
      }
    }
    if (out.bad_step == 0 && trial.check_weights()) out.bad_step = trial.clock().attempted;
    out.done = true;
    constexpr std::size_t kSome = 4;
    const std::size_t some = std::min(losses.size(), kSome);
    if (some > 0) out.first_loss = losses.front();
    for (std::size_t i = 0; i < some; ++i) {
      out.last_loss += losses[losses.size() - 1 - i] / static_cast<double>(some);
    }
    return out;
  }

  StepTrainer& trainer_;
  const data::Examples& set_;
  bool from_seed_;
  std::int64_t steps_left_;
  Time::time_point end_;
  std::int64_t ago_ = 0, good_applied_ = 0;
};

}  // namespace

std::string try_steps(StepTrainer& trainer, const data::Examples& set, bool from_seed, const TrialBounds& bounds) {
  return Trials(trainer, set, from_seed, bounds).run();
}

}  // namespace halfstep::internal
