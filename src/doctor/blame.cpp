#include "doctor/blame.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "doctor/norm_facts.hpp"
#include "doctor/row_facts.hpp"
#include "doctor/stored_values.hpp"
#include "doctor/weight_facts.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal {
namespace {

std::string digits(double number) { return short_number(number, 5); }

std::string fits(Dtype dtype) { return std::string(name(dtype)) + " ends at " + digits(largest_of(dtype)); }

// What the columns of the network's inputs or outputs are called.
DataValue value_of(const std::vector<DataWords::Column>& columns, bool standardised, std::size_t column, double value) {
  DataValue out = {static_cast<std::int64_t>(column), {}, value, value};
  if (column >= columns.size()) return out;
  const DataWords::Column& c = columns[column];
  out.name = c.name;
  if (standardised && c.scale > 0) out.raw = value * c.scale + c.mean;
  return out;
}

std::string called(const DataValue& v, const char* what) {
  return v.name.empty() ? std::string(what) + " " + std::to_string(v.column) : "column '" + v.name + "'";
}

constexpr double kFarOff = 50;

class Blame {
 public:
  Blame(Rerun& rerun, const DataWords& words, Incident& incident)
      : rerun_(rerun), c_(rerun.capsule()), words_(words), i_(incident) {}

  void run() {
    if (has_row()) {
      const auto row = static_cast<std::size_t>(i_.batch_row);
      if (!c_.examples.empty()) i_.example = c_.examples[row];
      if (!c_.places.empty()) i_.place = c_.places[row];
    }
    choose();
  }

 private:
  bool has_row() const { return i_.batch_row >= 0; }
  bool is_fp16() const { return i_.storage == Dtype::fp16; }
  // Empty where it does not help: the step is run to see.
  std::string wider() {
    if (!is_fp16() || !is_finite_in_bf16()) return {};
    // An output lies in the type of the layer that reads it.
    const std::size_t block = block_of() + (i_.cause == StepCause::forward ? 1 : 0);
    return "--precision bf16, which has fp32's range, or --layer-precision " + std::to_string(block) + "=bf16";
  }
  bool is_finite_in_bf16() {
    ModelSpec model = c_.model;
    model.precision = Dtype::bf16;
    model.layer_precision.clear();
    Rerun wide(c_, model, rerun_.context().kernels, rerun_.context().executor);
    return wide.run().applied;
  }
  // "a, or b", of those that are not empty.
  static std::string either(std::initializer_list<std::string> ways) {
    std::string text;
    for (const std::string& way : ways) {
      if (!way.empty()) text += (text.empty() ? "" : ", or ") + way;
    }
    return text;
  }
  // "layers.12.output"
  std::size_t block_of() const {
    const std::size_t at = i_.tensor.find("layers.");
    return at == std::string::npos ? 0 : static_cast<std::size_t>(std::atoll(i_.tensor.c_str() + at + 7));
  }

  void choose() {
    switch (i_.cause) {
      case StepCause::data:
        return bad_input(input_extreme(c_, static_cast<std::size_t>(std::max<std::int64_t>(i_.batch_row, 0))));
      case StepCause::weights:
        return weights();
      case StepCause::forward:
      case StepCause::loss:
        if (row_stands_out() || weights_have_grown()) return;
        return range();
      case StepCause::scale:
      case StepCause::gradient:
        if (small_variance() || row_stands_out()) return;
        // A scale that fits can be found for weights of any size: they are to blame only where they are far off.
        if (i_.fitting_scale >= 1 && !weights_have_grown(kFarOff)) return loss_scale();
        if (i_.fitting_scale >= 1 || far_targets() || weights_have_grown()) return;
        return gradient();
      case StepCause::unscale:
        return unscale();
      case StepCause::none:
        i_.why = c_.weight > 0 ? "each part of the step is finite by itself: its gradients are too large added up"
                               : "the step is finite when it runs again";
    }
  }

  bool row_stands_out() {
    if (!has_row()) return false;
    const auto row = static_cast<std::size_t>(i_.batch_row);
    const RowExtreme target = target_extreme(c_, row);
    const RowExtreme input = input_extreme(c_, row);
    const double of_target = std::fabs(target.value) / std::max(target.usual, 1.0);
    const double of_input = std::fabs(input.value) / std::max(input.usual, 1.0);
    const bool bad_row = input.stands_out(), bad_truth = !c_.values.empty() && target.stands_out();
    if (bad_row && !(bad_truth && of_target > of_input)) {
      bad_input(input);
    } else if (bad_truth) {
      bad_target(target);
    }
    return bad_row || bad_truth;
  }

  void bad_input(const RowExtreme& x) {
    i_.reason = IncidentReason::bad_input;
    i_.input = value_of(words_.inputs, words_.standardised, x.column, x.value);
    const std::string where = place_text();
    i_.why = where + ", " + called(i_.input, "input") + ", is " + digits(i_.input.raw);
    if (!std::isfinite(x.value)) {
      i_.why += ", which is no number to learn from";
      i_.advice = "a finite number in its place, or none: an empty cell is a missing value";
      return;
    }
    if (x.stands_out()) {
      i_.why += ", and the largest number of the other rows of the step is usually about " + digits(x.usual);
    } else if (std::fabs(x.value) >= rounds_to_infinity(i_.storage)) {
      i_.why += ", and " + fits(i_.storage);
    }
    const bool known = !words_.standardised && x.column < words_.inputs.size() && words_.inputs[x.column].scale > 0;
    if (known) {
      const DataWords::Column& column = words_.inputs[x.column];
      i_.why += "; standardised it would be " + digits((x.value - column.mean) / column.scale);
    }
    const bool raw = !words_.standardised && !words_.inputs.empty();
    i_.advice = x.stands_out() ? either({"mend or drop that row", leaves_out(), wider()})
                               : either({raw ? "--standardize auto" : "", wider(), "smaller inputs"});
  }

  std::string place_text() const {
    if (!i_.place.empty()) return i_.place;
    return "row " + std::to_string(i_.batch_row + static_cast<std::int64_t>(c_.first_row)) + " of the step";
  }

  // Of a set, whose rows can be left out.
  std::string leaves_out() const { return c_.examples.empty() ? "" : "--on-nonfinite rollback, which leaves it out"; }

  std::string huber() const {
    return c_.model.loss == LossKind::mse ? "--loss huber, whose gradient does not grow with the error" : "";
  }

  void bad_target(const RowExtreme& t) {
    i_.reason = IncidentReason::bad_target;
    name_target(t);
    const std::string where = place_text();
    i_.why = where + ", target " + (i_.target.name.empty() ? "" : "'" + i_.target.name + "' ") + "is " +
             digits(i_.target.raw) + ", " + digits(std::fabs(t.value) / std::max(t.usual, 1e-30)) +
             " times as far from the middle as the other rows of the step";
    i_.advice = either({"mend or drop that row", leaves_out(), huber()});
  }

  void name_target(const RowExtreme& t) { i_.target = value_of(words_.targets, true, t.column, t.value); }

  bool far_targets() {
    if (!has_row() || c_.values.empty()) return false;
    constexpr double kFar = 1e3;  // standardised targets are about 1
    const RowExtreme t = target_extreme(c_, static_cast<std::size_t>(i_.batch_row));
    if (!(std::fabs(t.value) > kFar)) return false;
    i_.reason = IncidentReason::bad_target;
    name_target(t);
    i_.why = "the targets are as large as " + digits(t.value) + ", and the gradient of the loss with them";
    i_.advice = either({"targets of about 1: divide them by their deviation", huber()});
    return true;
  }

  void weights() {
    const WeightFacts facts = weight_facts(rerun_, rerun_.network().blocks());
    const bool by_rate = c_.clock.applied > 0 && facts.by_updates();
    i_.reason = by_rate ? IncidentReason::learning_rate : IncidentReason::bad_weights;
    const std::string value = i_.tensor + "[" + std::to_string(i_.row) + ", " + std::to_string(i_.column) + "] is " +
                              digits(i_.value) +
                              (std::isfinite(i_.value) ? ", and " + fits(i_.storage) : std::string());
    i_.why = value + (by_rate ? "; " + growth_text(c_.recent, c_.lr) : ", and no update made it so");
    i_.advice = by_rate ? smaller_rate() : either({"a start from other weights", wider()});
  }

  // To so many times the size of a fresh layer's; 0: whatever counts as grown.
  bool weights_have_grown(double times = 0) {
    const std::size_t to = i_.cause == StepCause::forward ? block_of() : rerun_.network().blocks();
    const WeightFacts facts = weight_facts(rerun_, i_.tensor == "logits" ? rerun_.network().blocks() : to);
    if (times > 0 && !(facts.now > times * facts.fresh)) return false;
    if (!facts.grown()) {
      if (c_.clock.applied == 0 || !has_risen(c_.recent)) return false;
      i_.reason = IncidentReason::learning_rate;
      i_.why = growth_text(c_.recent, c_.lr);
      i_.advice = smaller_rate();
      return true;
    }
    const std::string size = facts.tensor + " is about " + digits(facts.now) + ", " + digits(facts.now / facts.fresh) +
                             " times a fresh layer's";
    const bool by_rate = c_.clock.applied > 0 && facts.by_updates();
    i_.reason = by_rate ? IncidentReason::learning_rate : IncidentReason::bad_weights;
    i_.why =
        size + (by_rate ? "; " + growth_text(c_.recent, c_.lr) : ", more than the updates so far can have made it");
    i_.advice = by_rate ? smaller_rate() : either({"a start from smaller weights", wider()});
    return true;
  }

  std::string smaller_rate() const { return smaller_rate_text(c_.optimizer, c_.lr, c_.clip.norm); }

  void range() {
    i_.reason = IncidentReason::range;
    i_.why = profile();
    if (i_.cause == StepCause::loss) {
      i_.why = "the loss of that row is beyond all numbers, from finite outputs; " + i_.why;
      i_.advice = either({words_.standardised ? "" : "--standardize auto", huber(), "a smaller --lr"});
      return;
    }
    const bool raw = !words_.standardised && largest_input() > 10;
    i_.advice = either({raw ? "--standardize auto" : "", wider(), "--norm layer"});
  }

  double largest_input() const {
    double most = 0;
    for (const float v : c_.x) most = std::max(most, std::fabs(static_cast<double>(v)));
    return most;
  }

  // "the largest values grow layer by layer: input 3.2, layers.0.output 410, layers.1.output 61000"
  std::string profile() {
    const Network& network = rerun_.network();
    std::string text = "the largest values grow layer by layer: ";
    std::vector<std::string> parts;
    for (const StoredSignal& s : network.signals()) {
      if (s.kind == StoredSignal::Kind::gradient || s.product >= 0) continue;
      const std::size_t columns = network.columns_of(s);
      double most = 0;
      for (std::size_t r = 0; r < network.rows_of(s, rerun_.held().rows); ++r) {
        for (std::size_t col = 0; col < columns; ++col) {
          const double v = std::fabs(static_cast<double>(value_at(s, r, col)));
          most = std::isfinite(v) ? std::max(most, v) : INFINITY;
        }
      }
      parts.push_back(s.name + " " + digits(most));
      if (s.name == i_.tensor || !std::isfinite(most)) break;
    }
    constexpr std::size_t kShown = 8;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts.size() > kShown && i == kShown / 2) {
        text += ", ...";
        i = parts.size() - kShown / 2;
      }
      text += (i == 0 ? "" : ", ") + parts[i];
    }
    return text;
  }

  void loss_scale() {
    i_.reason = IncidentReason::loss_scale;
    const std::string fitting = number_text(i_.fitting_scale);
    i_.why = "at the loss scale " + number_text(i_.loss_scale) + " it is " + digits(i_.value) + ", and " +
             fits(i_.storage) + "; it fits at scale / " + number_text(i_.loss_scale / i_.fitting_scale) +
             ", which is " + fitting;
    const std::string headroom =
        is_fp16() ? "--loss-scale headroom, which finds a scale that fits and repeats the step" : "";
    i_.advice = c_.scale_moves ? either({"nothing: the scale falls by itself", headroom})
                               : either({headroom, "--loss-scale dynamic", "--loss-scale " + fitting});
  }

  bool small_variance() {
    const auto norm = norm_facts(rerun_, i_, block_of());
    if (!norm) return false;
    i_.reason = IncidentReason::small_variance;
    i_.why = norm->what + " have a deviation of " + digits(norm->deviation) + ": the norm multiplies gradients by " +
             digits(norm->factor) + " there";
    i_.advice = either({"inputs that differ", is_fp16() ? "--loss-scale headroom" : "", wider()});
    return true;
  }

  void gradient() {
    i_.reason = IncidentReason::gradient;
    i_.why = "the gradient is " + digits(i_.value / i_.loss_scale) + " without its loss scale of " +
             digits(i_.loss_scale) + ", and " + fits(i_.storage);
    i_.advice = either({wider(), smaller_rate()});
  }

  void unscale() {
    i_.reason = IncidentReason::unscale;
    i_.why = i_.loss_scale < 1 ? "the gradients are finite, but not when the loss scale " + digits(i_.loss_scale) +
                                     " is divided out of them"
                               : "the gradients are so large that what is left of them after --clip-norm " +
                                     digits(c_.clip.norm) + " is below the smallest fp32 number";
    i_.advice = i_.loss_scale < 1 ? "--scale-min 1" : "a larger --clip-norm";
  }

  Rerun& rerun_;
  const Capsule& c_;
  const DataWords& words_;
  Incident& i_;
};

}  // namespace

void blame(Rerun& rerun, const DataWords& words, Incident& incident) { Blame(rerun, words, incident).run(); }

Incident incident_of_weights(StepTrainer& trainer, const StepRecord& record) {
  Incident i;
  i.step = record.step;
  i.applied = trainer.clock().applied;
  i.cause = record.cause;
  i.reason = IncidentReason::learning_rate;
  i.recent = trainer.recent().list();
  for (const Parameter* p : trainer.model().parameters()) {
    if (record.tensors.empty() || p->name != record.tensors.front()) continue;
    locate_in_weight(*p, i);
  }
  const double lr = i.recent.empty() ? 0 : i.recent.back().lr;
  i.why = "the last update made it so; " + growth_text(i.recent, lr);
  i.advice = smaller_rate_text(trainer.config().optimizer.kind, lr, trainer.config().clip.norm);
  return i;
}

}  // namespace halfstep::internal
