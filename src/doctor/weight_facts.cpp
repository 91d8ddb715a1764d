#include "doctor/weight_facts.hpp"

#include <algorithm>
#include <cmath>

#include "halfstep/text.hpp"

namespace halfstep::internal {
namespace {

constexpr double kGrown = 8, kRisen = 4, kGradientsRisen = 16;

// The most that `fresh` can have become. Adam and Lion move each weight by about the rate; sgd by the rate times its
// gradient, of which momentum may add up ten. Where the rate is absurd, decay multiplies weights instead of shrinking
// them.
double reach_of(const Capsule& c, double fresh) {
  double step = 0, rate = 0;
  for (const StepFigures& s : c.recent) {
    if (s.outcome == StepOutcome::skipped) continue;
    const double norm = c.clip.norm > 0 ? std::min(s.grad_norm, c.clip.norm) : s.grad_norm;
    step = std::max(step, c.optimizer == OptimizerKind::sgd ? 10 * s.lr * norm : 3 * s.lr);
    rate = std::max(rate, s.lr);
  }
  const auto applied = static_cast<double>(c.clock.applied);
  const double growth = std::max(1.0, std::fabs(1 - rate * c.weight_decay));
  return (fresh + step * applied) * std::pow(growth, std::min(applied, 1e3));
}

}  // namespace

bool WeightFacts::grown() const { return !(now <= kGrown * fresh); }
bool WeightFacts::by_updates() const { return !(now > 4 * reach); }

WeightFacts weight_facts(Rerun& rerun, std::size_t block) {
  WeightFacts most;
  double ratio = -1;
  const auto parameters = rerun.network().parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& p = *parameters[i];
    const double fresh = rerun.fresh()[i];
    if (p.block > block || !p.is_trained() || fresh == 0) continue;
    const double now = root_mean_square(p.values()), here = now / fresh;
    if (here <= ratio) continue;
    ratio = std::isnan(here) ? INFINITY : here;
    most.tensor = p.name;
    most.now = now;
    most.fresh = fresh;
  }
  most.reach = reach_of(rerun.capsule(), most.fresh);
  return most;
}

std::string growth_text(const std::vector<StepFigures>& recent, double lr) {
  constexpr std::size_t kShown = 6;
  std::vector<const StepFigures*> applied;
  for (const StepFigures& s : recent) {
    if (s.outcome != StepOutcome::skipped) applied.push_back(&s);
  }
  std::string losses, norms;
  for (std::size_t i = applied.size() - std::min(applied.size(), kShown); i < applied.size(); ++i) {
    losses += (losses.empty() ? "" : ", ") + short_number(applied[i]->loss, 3);
    norms += (norms.empty() ? "" : ", ") + short_number(applied[i]->grad_norm, 3);
  }
  return "at a learning rate of " + short_number(lr) + " the loss of the steps before went " + losses +
         " and the norm of their gradients " + norms;
}

// The usual rate where this one is far beyond it, which no warmup and no clip mends; else a tenth.
std::string smaller_rate_text(OptimizerKind optimizer, double lr, double clip_norm) {
  const bool sgd = optimizer == OptimizerKind::sgd;
  const double usual = sgd ? 0.01 : optimizer == OptimizerKind::lion ? 1e-4 : 1e-3;
  const bool far = lr > 10 * usual;
  std::string text = "--lr " + (far ? number_text(usual) : short_number(lr / 10, 2));
  // The others divide by the size of their gradients.
  if (sgd && !far) text += ", or --clip-norm " + (clip_norm > 0 ? short_number(clip_norm / 10, 2) : std::string("1"));
  if (!far) text += ", or --warmup 100";
  return text + "; halfstep lr looks for a rate";
}

bool has_risen(const std::vector<StepFigures>& recent) {
  double least_loss = INFINITY, least_norm = INFINITY, last_loss = 0, last_norm = 0;
  for (const StepFigures& s : recent) {
    if (s.outcome == StepOutcome::skipped) continue;
    last_loss = s.loss;
    last_norm = s.grad_norm;
    least_loss = std::min(least_loss, s.loss);
    least_norm = std::min(least_norm, s.grad_norm);
  }
  return last_loss > kRisen * least_loss || last_norm > kGradientsRisen * least_norm;
}

}  // namespace halfstep::internal
