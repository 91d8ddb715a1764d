#include "run/recovery.hpp"

#include <algorithm>
#include <cmath>

#include "amp/step_cause.hpp"
#include "halfstep/error.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal {

Recovery::Recovery(const Options& options, StepTrainer& trainer, data::Examples& train, Incidents& incidents,
                   const TrainObserver& observer, Lift lift)
    : options_(options),
      trainer_(trainer),
      train_(train),
      incidents_(incidents),
      observer_(observer),
      lift_(std::move(lift)) {}

bool Recovery::after(const StepRecord& record) {
  if (options_.on_nonfinite == "skip") return false;
  const bool rolls_back = options_.on_nonfinite == "rollback";
  if (record.outcome != StepOutcome::skipped) {
    if (rolls_back) look(record);
    return false;
  }
  if (smaller_scale_helps(record.cause) && !trainer_.scaler().at_minimum()) return false;  // the scaler mends that
  if (!rolls_back) stop(record, "a step is not finite, and --on-nonfinite stop ends the run");
  mend(record);
  return true;
}

// Weights are good when the loss of the steps that they made is below where it began.
void Recovery::look(const StepRecord& record) {
  if (!any_) {
    first_loss_ = record.loss;
    any_ = true;
  }
  sum_ += record.loss;
  if (++seen_ < kEvery) return;
  const double mean = sum_ / static_cast<double>(seen_);
  seen_ = 0;
  sum_ = 0;
  if (!(mean < first_loss_) || trainer_.check_weights()) return;
  Learned learned{trainer_};
  good_ = save_state(learned);
  good_applied_ = record.applied;
}

void Recovery::mend(const StepRecord& record) {
  const Incident* const incident = incidents_.of_step(record.step);
  if (incident == nullptr) stop(record, "a step is not finite, and why could not be found out");
  if (actions_.size() >= kMost) stop(record, "the run was mended " + std::to_string(kMost) + " times, and no more");
  const double scale = trainer_.scaler().scale();
  switch (incident->reason) {
    case IncidentReason::bad_input:
    case IncidentReason::bad_target:
      // What is so in every row is no fault of one.
      if (lift(record) || leave_out(record, *incident)) return;
      stop(record, "a row of the data is to blame, and cannot be left out of such a set");
    case IncidentReason::learning_rate:
      go_back();
      rate_factor_ *= kShrinks;
      return did(record, "went back to the weights after " + std::to_string(good_applied_) +
                             " applied steps, learning rate x " + short_number(rate_factor_));
    case IncidentReason::loss_scale:
      if (!(incident->fitting_scale > 0 && incident->fitting_scale < scale)) break;
      trainer_.set_loss_scale(static_cast<float>(incident->fitting_scale));
      return did(record, "lowered the loss scale to " + number_text(incident->fitting_scale));
    default:
      break;
  }
  if (lift(record)) return;
  const Bisection* const cure = incidents_.cure(record.step);
  std::string why = "a step is not finite for a reason that the run cannot mend";
  if (cure != nullptr) why += "; " + cure->text;
  if (cure != nullptr && !cure->lift.empty() && !has_masters())
    why += ", which a run can go over to with --master fp32";
  stop(record, why);
}

// The step that was withheld has changed nothing: the weights before it are good, unless the steps that led to them
// have raised the loss.
bool Recovery::lift(const StepRecord& record) {
  const Bisection* const cure = incidents_.cure(record.step);
  if (cure == nullptr || cure->lift.empty()) return false;
  if (!has_masters()) return false;
  const std::vector<LayerPrecision> layers = cure->lift;
  const double scale = cure->loss_scale;
  const bool worse = seen_ > 0 && !(sum_ / static_cast<double>(seen_) < first_loss_);
  if (!lift_(layers)) return false;
  std::string what;
  for (const LayerPrecision& l : layers) {
    what += (what.empty() ? "" : ",") + std::to_string(l.layer) + "=" + std::string(name(l.precision));
  }
  what = "raised the precision of layers, as --layer-precision " + what + " does";
  if (worse) {
    go_back();
    what += ", went back to the weights after " + std::to_string(good_applied_) + " applied steps";
  }
  if (scale > 0 && scale < trainer_.scaler().scale() && !trainer_.scaler().dynamic()) {
    trainer_.set_loss_scale(static_cast<float>(scale));
    what += ", lowered the loss scale to " + number_text(scale);
  }
  did(record, what);
  return true;
}

// A row of zeros that counts nothing: the batches stay as they were.
bool Recovery::leave_out(const StepRecord& record, const Incident& incident) {
  if (incident.example < 0 || train_.x.empty() || left_out_.size() >= kMostLeftOut) return false;
  left_out_.push_back(incident.example);
  loaded();
  did(record, "left out " + (incident.place.empty() ? "a row" : incident.place) + " from here on");
  return true;
}

void Recovery::loaded() {
  if (left_out_.empty()) return;
  if (train_.weights.empty()) train_.weights.assign(train_.rows, 1);
  for (const std::int64_t example : left_out_) {
    const auto row = static_cast<std::size_t>(example);
    std::fill_n(train_.x.begin() + static_cast<std::ptrdiff_t>(row * train_.features), train_.features, 0.0f);
    train_.weights[row] = 0;
    for (std::size_t o = 0; o < train_.outputs && !train_.targets.empty(); ++o) {
      train_.targets[row * train_.outputs + o] = 0;
    }
  }
}

void Recovery::go_back() {
  if (good_applied_ == 0) return trainer_.begin_again();
  Learned learned{trainer_};
  load_state(learned, good_);
  trainer_.loaded();
}

void Recovery::did(const StepRecord& record, const std::string& what) {
  actions_.push_back("step " + std::to_string(record.step) + ": " + what);
  if (observer_.on_warning) observer_.on_warning(actions_.back());
}

void Recovery::stop(const StepRecord& record, const std::string& what) const {
  const std::string tensor = record.tensors.empty() ? "" : ", " + record.tensors.front();
  const ErrorParts parts = {.what = "training was ended",
                            .where = "step " + std::to_string(record.step) + tensor,
                            .why = what,
                            .kept = {},
                            .hint = "--on-nonfinite skip leaves such steps out"};
  throw Error(Status::diverged, incidents_.with_reason(parts, record));
}

void Recovery::visit_state(StateVisitor& visitor) {
  visitor.number("rate_factor", rate_factor_);
  if (visitor.loads_scalars() && !(rate_factor_ > 0 && rate_factor_ <= 1)) visitor.out_of_range("rate_factor");
  visitor.list("left_out", left_out_, [&](std::int64_t& row) { visitor.integer("row", row); });
  const auto rows = static_cast<std::int64_t>(train_.rows);
  const bool known =
      std::all_of(left_out_.begin(), left_out_.end(), [&](std::int64_t row) { return row >= 0 && row < rows; });
  if (visitor.loads_scalars() && !known) visitor.out_of_range("left_out");
  visitor.list("actions", actions_, [&](std::string& text) { visitor.text("text", text); });
  visitor.value("any", any_, 2);
  visitor.value("seen", seen_, kEvery);
  visitor.number("first_loss", first_loss_);
  visitor.number("loss_sum", sum_);
  visitor.value("good_applied", good_applied_);
  visit_good(visitor);
  const StateVisitor::Group group(visitor, "recent");
  trainer_.visit_recent(visitor);
}

// Of the same shape where there is none yet, so that it can be loaded.
void Recovery::visit_good(StateVisitor& visitor) {
  Learned learned{trainer_};
  if (good_.entries.empty()) good_ = save_state(learned);
  const StateVisitor::Group group(visitor, "good");
  for (StateEntry& e : good_.entries) visitor.array(e.name, e.type, e.bytes.data(), e.elements);
}

}  // namespace halfstep::internal
