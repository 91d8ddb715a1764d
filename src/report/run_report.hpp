// What a report tells of a run, as data: run/ fills it in, run_page.hpp draws it.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/jobs.hpp"
#include "report/sampled.hpp"

namespace halfstep::internal::report {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMetrics = kEnumNames<MetricKind>.size();
constexpr std::size_t kCalibrationBins = 15;
constexpr std::size_t kShownTargets = 4;  // of several, in figures

// An epoch without the parts of its metrics that grow with the number of classes.
struct EpochPoint {
  std::int64_t epoch = 0, step = 0;
  double train_loss = 0, lr = 0, loss_scale = 1, grad_norm = 0, samples_per_s = 0;
  std::array<double, kMetrics> eval{};  // NaN: not measured
};

struct SlowStep {
  std::int64_t step = 0;
  double seconds = 0;
  bool metered = false;
};

struct CalibrationBin {
  std::int64_t rows = 0;
  double confidence = 0, accuracy = 0;  // means of these rows
};

struct WorstRow {
  std::string row;  // "line 17", "row 3"
  double loss = 0;
  std::string truth, prediction;
  double probability = kNan;  // of the true class
};

// A column, and how much the loss rises when its values change places among the rows.
struct ColumnUse {
  std::string name;
  double increase = 0;
  double deviation = kNan;  // of it from one permutation to the next; NaN: there was one only
};

struct Importance {
  std::int64_t rows = 0;  // measured on
  double loss = 0;        // of these as they are
  std::vector<ColumnUse> columns;
  std::size_t side = 0;  // not 0: `columns` are the fields of a square picture with so many on a side, row by row
  std::string groups;    // what a line of it stands for, where that is no column
  std::vector<Dependence> dependences;  // of the first columns
};

// How the values of one target are predicted.
struct TargetValues {
  std::string name;                               // empty where there is one target only
  std::vector<std::pair<double, double>> values;  // true and predicted, of a sample of the rows
  std::vector<std::int64_t> residuals;            // histogram between the next two; the ends hold what lies beyond
  double residual_low = 0, residual_high = 0;
};

// The rows held out, or the test set, as the model that is kept sees them.
struct HeldOut {
  std::string name;  // "validation", "test"; empty: there are none
  Metrics metrics;
  std::vector<std::string> classes;
  std::array<CalibrationBin, kCalibrationBins> bins{};
  std::vector<TargetValues> values;  // of the first targets
  std::vector<std::string> targets;  // names, of several, in the order of metrics.targets
  std::vector<WorstRow> worst;
  Importance importance;
};

struct RunReport {
  std::string data;
  std::string version;
  std::string cpu;
  std::string repeat;   // command that repeats the run; empty: unknown
  std::string failure;  // why the run ended without a model; empty: it has one
  RunPlan plan;
  TrainResult result;
  std::vector<std::string> preprocessing;                    // a line per input column
  std::vector<std::pair<std::string, std::string>> changed;  // parameters that differ from their defaults

  std::vector<EpochPoint> epochs;
  EpochPoint best;  // epoch 0: none
  Sampled loss, lr, grad_norm, loss_scale, seconds;
  std::vector<StepRecord> incidents;  // the first of the steps skipped or retried
  std::vector<MeterReport> meters;
  std::vector<SlowStep> slowest;  // descending
  double seconds_of_meters = 0;
  HeldOut held_out;
};

}  // namespace halfstep::internal::report
