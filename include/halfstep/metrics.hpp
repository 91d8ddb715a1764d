// How good a model is on a set.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "halfstep/enum_names.hpp"

namespace halfstep {

// The metrics; the last four are of values, accuracy to calibrated_loss of classes. Of several targets the last four
// are means over the targets, each measured in its own units (scikit-learn's "uniform_average").
enum class MetricKind : std::uint8_t {
  loss,               // what training minimises: mean over the rows, by class weights and smoothing where there are any
  accuracy,           // share of rows whose most probable class is theirs
  balanced_accuracy,  // mean over the classes that occur of the share of their rows that is right
  log_loss,           // mean of -ln(probability of the row's class)
  roc_auc,            // area under the ROC curve of the second of two classes; of more, mean of each against the rest
  average_precision,  // mean precision over the thresholds, weighted by the recall that each adds; classes as above
  f1,                 // harmonic mean of precision and recall of the second of two classes; of more, mean over classes
  brier,              // mean squared error of the probability of the second of two classes; of more, of the vector
  calibration_error,  // mean distance of confidence and accuracy in 15 bins of confidence (Guo et al., 2017)
  calibrated_loss,    // least log_loss that dividing all logits by a temperature gives (Berta et al., 2025)
  rmse,               // root of the mean squared error, in units of the target
  r2,                 // 1 - squared error / variance of the targets
  mae,                // mean absolute error
  median_error        // median of the absolute errors
};

template <>
inline constexpr std::array<std::string_view, 14> kEnumNames<MetricKind> = {
    "loss", "accuracy",    "balanced_accuracy", "log_loss",        "roc_auc", "average_precision",
    "f1",   "brier",       "calibration_error", "calibrated_loss", "rmse",    "r2",
    "mae",  "median_error"};

// What became of the rows of one class.
struct ClassCounts {
  std::int64_t rows = 0;       // that are of it
  std::int64_t predicted = 0;  // that are said to be
  std::int64_t right = 0;      // both
  double precision() const;    // NaN where none is said to be
  double recall() const;       // NaN where none is
  double f1() const;           // 2 right / (rows + predicted); NaN where both are 0
};

// The metrics of one of several targets, in its own units.
struct TargetErrors {
  double rmse = 0;          // root of the mean squared error
  double r2 = 0;            // 1 - squared error / variance; NaN where all true values are the same
  double mae = 0;           // mean absolute error
  double median_error = 0;  // median of the absolute errors
};

// Quality on one split. A metric that does not apply, or that these rows do not determine, is NaN: roc_auc of rows of
// one class, r2 where all targets are the same. Of several targets r2 is the mean over those that determine it.
struct Metrics {
  std::int64_t rows = 0;
  std::int64_t non_finite = 0;  // of them, without a finite output: never right, and what is a mean over rows is NaN
  double loss = 0;
  bool classification = true;
  double accuracy = 0;
  double rmse = 0;
  double r2 = 0;
  double balanced_accuracy = std::numeric_limits<double>::quiet_NaN();
  double log_loss = std::numeric_limits<double>::quiet_NaN();
  double roc_auc = std::numeric_limits<double>::quiet_NaN();            // these two only where it says that they are
  double average_precision = std::numeric_limits<double>::quiet_NaN();  // measured: after a run, in `eval`
  double f1 = std::numeric_limits<double>::quiet_NaN();
  double brier = std::numeric_limits<double>::quiet_NaN();
  double calibration_error = std::numeric_limits<double>::quiet_NaN();
  double calibrated_loss = std::numeric_limits<double>::quiet_NaN();  // so too; not by Trainer::evaluate
  double mae = std::numeric_limits<double>::quiet_NaN();
  double median_error = std::numeric_limits<double>::quiet_NaN();
  std::vector<TargetErrors> targets;    // of values, one for each output
  std::vector<ClassCounts> classes;     // of classification
  std::vector<std::int64_t> confusion;  // classes x classes, [class of the row][predicted]; empty beyond 256 classes
};

// The one of that kind.
double value_of(const Metrics& metrics, MetricKind kind);
// Else lower is.
bool higher_is_better(MetricKind kind);
// To classes, or else to values.
bool applies_to(MetricKind kind, bool classification);

}  // namespace halfstep
