// Whole jobs: what the command line does, callable from a program. Nothing here prints or exits.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/files.hpp"
#include "halfstep/incident.hpp"
#include "halfstep/ledger.hpp"
#include "halfstep/memory_part.hpp"
#include "halfstep/meters.hpp"
#include "halfstep/metrics.hpp"
#include "halfstep/options.hpp"

namespace halfstep {

// What a run is about to do: printed before the first step.
struct RunPlan {
  std::string data;                // "60000 rows, 784 features"
  std::string target;              // name, kind, and why it was taken as such
  std::string split;               // how train and evaluation rows were chosen
  std::string model;               // "784-512-256-10 relu, 535818 parameters"
  std::string machine;             // ISA and threads, with the reasons
  std::int64_t memory_bytes = 0;   // planned: all but the program itself
  std::vector<MemoryPart> memory;  // its parts
  std::vector<std::string> notes;  // oddities of the data worth knowing
  std::vector<std::string> reads;  // how fast each file was read: "x.csv: 180.3 MB in 0.52 s, 347 MB/s, 2 threads"
};

// An epoch that is over.
struct EpochReport {
  std::int64_t epoch = 0;    // from 1
  std::int64_t epochs = 0;   // planned; 0 when the run is counted in steps
  StepCounts steps;          // of the run so far
  std::int64_t skipped = 0;  // of the epoch
  double train_loss = 0;     // mean over the rows of the epoch's applied steps; NaN: none was applied
  double lr = 0;
  double loss_scale = 1;
  double grad_norm = 0;  // of the last step, unscaled, before clipping
  double samples_per_s = 0;
  bool has_eval = false;
  Metrics eval;       // of the rows held out or, without any, of the test set
  bool best = false;  // by options.metric, so far
};

// Where a run stands, within an epoch.
struct ProgressReport {
  std::int64_t epoch = 0, epochs = 0;  // as in EpochReport
  std::int64_t steps = 0;              // planned
  StepCounts counts;                   // of the run so far
  double loss = 0;                     // of the last step
  double loss_scale = 1;
  double samples_per_s = 0;
  double seconds_left = 0;  // until the planned end or the time limit, at the speed so far
};

// A checkpoint, or a network of a bag, that is there, and durable.
struct CheckpointReport {
  std::int64_t step = 0;  // attempted
  std::string path;
  std::int64_t bytes = 0;
  double seconds = 0;  // that writing it took, beside the steps
};

// One of the networks of options.bag.
struct BaggedNetwork {
  std::int64_t number = 0;  // from 1
  std::int64_t epochs = 0;
  std::int64_t best_epoch = 0;     // whose weights it has; 0: those of the last step
  std::int64_t held_out_rows = 0;  // of its part, which it was not trained on
  MetricKind metric = MetricKind::loss;
  double held_out = 0;  // by that metric, on these
  double seconds = 0;
};

// Settings that a run tried before it took some of them: quality "best".
struct TriedSettings {
  std::vector<std::pair<std::string, std::string>> parameters;  // and their values
  std::int64_t rows = 0;                                        // held out of the networks that tried them
  MetricKind metric = MetricKind::loss;
  double held_out = 0;  // by that metric, on these
  bool taken = false;
};

// Callbacks of a run; each may be empty. They run on the calling thread. What one throws comes out of train() as it is,
// and no model is written.
struct TrainObserver {
  std::function<void(const RunPlan&)> on_plan;
  std::function<void(const EpochReport&)> on_epoch;
  std::function<void(const ProgressReport&)> on_progress;  // about ten times a second
  std::function<void(const StepRecord&)> on_step;          // every attempted step
  std::function<void(const Incident&)> on_incident;        // a step that was skipped, explained: the first of its kind
  std::function<void(const MeterReport&)> on_meter;        // every options.meter_every
  std::function<void(const CheckpointReport&)> on_checkpoint;
  // options.refit: all rows, and the epochs of the run on them that begins; its epochs follow.
  std::function<void(std::int64_t rows, std::int64_t epochs)> on_refit;
  // Before the networks of a bag, where settings are tried: after each network that tries some, how many are done of
  // how many, with those that were there already; then all settings, after the last of them.
  std::function<void(const BaggedNetwork&, std::int64_t done, std::int64_t of)> on_trial;
  std::function<void(const std::vector<TriedSettings>&)> on_tried;
  // options.bag: after each of its networks, how many are done of how many, with those that were there already, which
  // are not told. There are no reports of their epochs.
  std::function<void(const BaggedNetwork&, std::int64_t done, std::int64_t of)> on_network;
  std::function<void(const std::string&)> on_warning;  // see TrainResult::warnings
  std::function<bool()> should_save;                   // true: save a checkpoint after the current step, and go on
  std::function<bool()> should_stop;                   // true: finish the current step, save and return
};

// What a run came to.
struct TrainResult {
  std::string precision;
  std::string layer_precision;  // "0=fp32,2=fp16": the layers that differ; empty: none
  std::string isa;
  std::string math;
  int threads = 0;
  Metrics train;          // train.loss is the last epoch's mean
  Metrics eval;           // of the model that is saved, as `test`
  std::string eval_name;  // "test" or "validation"; empty when nothing was held out
  bool has_test = false;  // beside a validation part
  Metrics test;
  std::vector<std::string> targets;  // names, in the order of Metrics::targets
  std::string metric;                // options.metric, or what auto stands for
  std::int64_t best_epoch = 0;       // whose weights the model has; 0: those of the last step
  std::int64_t refit_rows = 0;       // options.refit: rows that the model was trained on; eval is of the run before
  std::int64_t refit_epochs = 0;     // and for how long; 0: it was not
  std::vector<TriedSettings> tried;  // quality best: what its bag was chosen from
  std::vector<BaggedNetwork> bag;    // options.bag: eval is of each on the rows that it was not trained on
  std::string ended;                 // "early stop", "time limit" or "signal"; empty: at its planned end
  StepCounts steps;
  MeterReport meter;                    // the last reading; step 0: there was none
  std::vector<LedgerEntry> ledger;      // why steps were skipped or retried, in order of first appearance
  std::vector<std::string> recoveries;  // what --on-nonfinite rollback did, in order
  std::vector<Incident> incidents;      // why it came to that: of the same cause and tensor only the first
  double loss_scale = 1;
  double samples_per_s = 0;
  double seconds = 0;
  std::string model;                  // path written
  std::string report;                 // path written; empty: none, or it was lost
  std::string weights_digest;         // of the fp32 master weights in canonical order
  bool stopped = false;               // should_stop ended the run
  std::string checkpoint;             // path of the newest, or of a network of the bag; empty: none
  std::int64_t resumed_at = 0;        // attempted steps of what the run went on with; 0: nothing
  std::vector<std::string> warnings;  // what of the results is lost though the model is saved: metrics, report
  // Parameters and values that --precision auto chose: with them in place of it the run is the same on any machine.
  std::vector<std::pair<std::string, std::string>> chosen;
  double temperature = 1;   // that the model divides a classifier's logits by
  std::string calibration;  // how that came, in words; empty: nobody asked
  std::string intervals;    // what prediction intervals go by, in words; empty: the model has none
};

// Files that a job reads for `data`.
std::vector<NamedFile> files_read(const std::string& data, const Options& options);
// Files that a run of training may write: check_apart keeps them from those that it reads.
std::vector<NamedFile> files_written(const Options& options);

// Trains on `data` (path or "builtin:NAME"). Throws Error; Status::invalid_argument, before anything is written, when
// an output is an input; Status::diverged when training cannot go on: the last good weights, where there are any, are
// then in options.out with ".last-good" before its extension.
TrainResult train(const std::string& data, const Options& options, const TrainObserver& observer);

// What one fold of a cross-validation came to.
struct Fold {
  std::int64_t train_rows = 0;
  Metrics held_out;
  std::int64_t best_epoch = 0;  // with options.early_stop
};
// What a cross-validation came to, fold by fold.
struct CrossValidation {
  std::vector<Fold> folds;
  bool classification = true;
  std::vector<std::string> targets;  // names, in the order of Metrics::targets
  std::string metric;                // as in TrainResult
  std::string how;                   // the rows were divided, in words
  std::vector<std::string> notes;
};
// Callbacks of a cross-validation; each may be empty. They run on the calling thread.
struct FoldObserver {
  std::function<void(const CrossValidation&)> on_fold;  // after each, the last of the folds so far
  std::function<bool()> should_stop;                    // true: ends after the step, with the folds that are done
};

// Trains `folds` models, from 2 to 1000, each on the rows that another part of them leaves, and judges it by that part;
// how they are divided is options.split and options.group. With `ordered` the file is cut into folds + 1 parts, and
// each model is trained on those before the one that judges it. With options.early_stop each model holds rows of its
// own training part out to stop by. Writes no file. Throws as train does.
CrossValidation cross_validate(const std::string& data, int folds, const Options& options,
                               const FoldObserver& observer = {});

// A learning rate and the loss that training at it began with, smoothed over the steps before.
struct RatePoint {
  double lr = 0;
  double loss = 0;
};
// What a search for a learning rate saw.
struct RateSearch {
  std::vector<RatePoint> points;  // rates rise
  double suggested = 0;           // 0: the loss fell at none of them
  double least = 0;               // rate at which the smoothed loss was least
  bool exploded = false;          // it ended where the loss had grown fourfold, before its last rate
  std::vector<std::string> notes;
};
// Trains a little on `data`, which it writes nothing of: 200 steps at most, whose rate rises from 1e-6 to 10 (the range
// test of Smith, 2017), and ends when the loss has grown to four times its least. Suggests a tenth of the rate where
// the loss was least. Throws as train does, and invalid_argument for options that say how long a run is, what its rate
// is or what it writes.
RateSearch find_learning_rate(const std::string& data, const Options& options,
                              const std::function<bool()>& should_stop = {});

// What `halfstep eval` tells.
struct Evaluation {
  Metrics metrics;
  std::vector<std::string> classes;   // names, in the order of metrics.classes
  std::vector<std::string> targets;   // names, in the order of metrics.targets
  std::vector<std::string> notes;     // how the data differs from what the model was trained on
  std::vector<std::string> warnings;  // what is wrong with some rows, and why
  std::vector<std::string> reads;     // how fast the file was read, as in RunPlan
};

// Loss and metrics of a model file on a data set. Only machine and data-reading options count. A table is read by what
// the model knows of its own: names, header, separator, missing tokens, kinds of columns.
Evaluation evaluate(const std::string& model, const std::string& data, const Options& options);

// One row per input row, in order.
struct Predictions {
  bool classification = true;
  std::vector<std::string> classes;    // of each column of `values` for classification
  std::vector<std::string> targets;    // of each column of `values` for a regression
  std::vector<std::string> predicted;  // class name, or the value as text; of several targets commas between
  std::vector<double> values;          // rows x classes probabilities (fp32 numbers), or rows x targets values
  std::vector<double> lower, upper;    // rows x targets: ends of the intervals, where they were asked for
  // Rows, from 0, whose output is not finite. They have no class, an empty name and NaN as probabilities; of several
  // targets NaN for each.
  std::vector<std::int64_t> non_finite;
  std::vector<std::string> warnings;  // which these are, and why
  std::vector<std::string> notes;     // how the data differs from what the model was trained on
  std::vector<std::string> reads;     // how fast the file was read, as in RunPlan
};
// What a model file says of each row of a data set, which is read as evaluate() does. With `intervals`, more than 0 and
// less than 1, also between which ends that share of the true values lies, by the rows held out of training. Throws
// Error; Status::unsupported where the model has seen too few such rows, or none.
Predictions predict(const std::string& model, const std::string& data, const Options& options, double intervals = 0);

// How much a model goes by a column of a table: by how much its loss rises when the values of the column change places
// among the rows.
struct ColumnImportance {
  std::string name;
  double increase = 0;   // of the loss, mean over the permutations
  double deviation = 0;  // of it from one permutation to the next
};
// What a model would say on average if all rows had the same value in a column.
struct DependencePoint {
  std::string value;  // as text; of a category its name
  double number = 0;  // the same; NaN where it is none
  // Mean over the rows: of a classifier the probability of each output, of a regression its values.
  std::vector<double> means;
};
// How a model's outputs follow from one column, the others being as they are.
struct Dependence {
  std::string column;
  bool is_number = true;                // else categories
  std::vector<std::string> outputs;     // classes or targets, in the order of `means`
  std::vector<DependencePoint> points;  // of numbers at their quantiles, increasing
};
// What `halfstep explain` tells.
struct Explanation {
  std::int64_t rows = 0;                  // of the data
  std::int64_t used = 0;                  // of them, evenly over the file
  std::int64_t permutations = 0;          // of each column
  double loss = 0;                        // of the rows used, as they are
  std::vector<ColumnImportance> columns;  // the largest increase first
  std::vector<Dependence> dependences;    // of the first columns
  std::vector<std::string> notes;         // how the data differs from what the model was trained on
  std::vector<std::string> reads;         // how fast the file was read, as in RunPlan
};
// Which columns a model goes by on rows of a table that it has not been trained on, and how its outputs follow from the
// first `columns` of them. The data is read as evaluate() does; the permutations follow from options.seed. Throws
// Error; Status::unsupported where the model is not of a table.
Explanation explain(const std::string& model, const std::string& data, std::size_t columns, const Options& options);

// The last and the best of one run, from its metrics file.
struct RunFigures {
  std::string name;  // path of the file
  std::int64_t epochs = 0;
  StepCounts steps;
  double train_loss = 0;
  double eval_loss = 0;           // NaN: nothing was held out
  double best_eval_loss = 0;      // likewise
  std::int64_t best_epoch = 0;    // that it is of
  double accuracy = 0, rmse = 0;  // of the last epoch, NaN where it has none
  double samples_per_s = 0;       // median of the epochs
};

// Draws the curves of several runs over each other, from what --metrics wrote of them, to the HTML file `out`. Throws
// Error: of reading and writing, and invalid_argument where `out` is one of the files.
std::vector<RunFigures> compare_runs(const std::vector<std::string>& metrics, const std::string& out);

// What is in a model file.
struct ModelSummary {
  // What its header says of a tensor.
  struct Tensor {
    std::string name;
    std::string dtype;
    std::vector<std::int64_t> shape;
  };
  std::string format;
  std::string kind;  // "classifier" or "regressor"
  std::string architecture;
  std::int64_t parameters = 0;
  std::int64_t step = 0;
  std::string precision;
  std::string layer_precision;  // as in TrainResult
  std::string loss_scale;
  std::string digest;  // of the file
  std::string weights_digest;
  std::vector<Tensor> tensors;
  std::vector<std::string> classes;
  std::vector<std::string> targets;                         // of a regressor: names, in the order of its outputs
  std::vector<std::string> preprocessing;                   // how a table is read, and one line per input column
  std::vector<std::pair<std::string, std::string>> config;  // parameter, value
  std::vector<std::pair<std::string, std::string>> run;     // of a checkpoint: what goes on, and where
  double temperature = 1;                                   // that a classifier's logits are divided by
  std::string intervals;                                    // as in TrainResult
};
// Throws Error(io, format, limit, unsupported) where it is no model file that this version reads.
ModelSummary inspect(const std::string& model);

// Whether a model or a checkpoint is whole.
struct Verification {
  bool good = false;
  // "model", "checkpoint of step 1200" or "network of a bag, number 3, settings 1"; empty: none of them.
  std::string kind;
  std::string digest;  // of the file, where it is good
  std::string why;     // it is not good
};
// Reads every byte of a file, and checks it against the file's own digest and description. Throws nothing but what
// memory and reading may.
Verification verify(const std::string& file);

}  // namespace halfstep
