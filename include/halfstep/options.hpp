// Every parameter of a run, and the registry that flags, config files and documents are made from.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/types.hpp"

namespace halfstep {

// How one layer is stored.
struct LayerPrecision {
  std::int64_t layer = 0;  // from 0, as in the tensor name layers.0.weight
  Dtype precision = Dtype::fp32;
  bool operator==(const LayerPrecision&) const = default;
};

// The parameters of a run at their defaults; `halfstep params` tells what each is for and what it may be.
struct Options {
  // ---- machine ----
  int threads = 0;           // 0: as many as the process may use
  std::string isa = "auto";  // name of a compiled ISA
  Math math = Math::portable;
  std::uint64_t seed = 0;
  // No parameter: set by a program whose process is its own. More threads than CPUs then raise oneTBB's limit for it,
  // which a library must not do to its host.
  bool owns_process = false;
  // No parameter: work in the oneTBB arena that the calling thread is in, on the host's threads, instead of on own
  // ones.
  bool threads_of_host = false;
  // No parameter: the parameters that set_option() was given, by name. They count as given at their defaults too.
  std::vector<std::string> named = {};
  // No parameter: the command that repeats the run, where a program has one for its report to show.
  std::string command = {};

  // ---- data ----
  std::string test;             // path of a test set
  double validation = 0;        // share of the rows held out; 0: 0.1 where there is no test set, or early_stop
  std::string format = "auto";  // auto | csv | libsvm | npy | npz | idx
  std::string target;           // column name, index or "last", or a list of them; empty: last
  Task task = Task::automatic;
  std::string split = "random";          // random | stratified | ordered: which rows are held out
  std::string group;                     // column: rows with the same value stay on one side of the split
  std::string weights;                   // column: how much a row counts in the loss
  std::vector<std::string> drop;         // columns left out
  std::vector<std::string> categorical;  // columns taken as categories
  std::vector<std::string> numeric;      // columns taken as numbers; texts in them are missing
  std::string header = "auto";           // auto | yes | no
  std::string separator = "auto";        // auto | comma | semicolon | tab | pipe | blanks, or a sign
  std::string decimal = "auto";          // auto | point | comma
  std::vector<std::string> missing;      // tokens that mean "missing"; empty: the usual ones
  std::string standardize = "auto";      // auto | none
  std::string labels;                    // path of the labels of images or of an array; an array of an NPZ archive
  std::string cache = "auto";            // auto | none | a folder, by way of which a table goes that is too large

  // ---- model ----
  std::vector<std::int64_t> hidden = {128, 64};
  // auto | plain | quick | good | best: for a table, what the parameters that nobody gave become, by its size. auto:
  // good, or plain where hidden or embedding says what the network is. Only train() and what reads its data as it does
  // go by it.
  std::string quality = "auto";
  std::int64_t embedding = 0;   // width of the vector that each column of a table becomes; 0: columns go in as numbers
  std::int64_t bins = 48;       // embedding: segments of the piecewise linear function of a number, at most
  std::int64_t periodic = 0;    // embedding: cosines of a number of many values, learned beside that function
  std::int64_t ensemble = 1;    // embedding: members that share the network
  std::string layer = "dense";  // kind of the hidden layers
  Activation activation = Activation::relu;
  Norm norm = Norm::none;
  double dropout = 0;
  bool residual = false;
  std::string loss = "auto";  // auto | cross_entropy | binary_cross_entropy | mse | huber
  double huber_delta = 1.0;
  double label_smoothing = 0;  // cross_entropy
  std::string class_weights;   // cross_entropy: "balanced" or "name=weight,..."; empty: all 1

  // ---- precision ----
  Dtype precision = Dtype::bf16;
  // The value "auto" of that parameter: train() tries each precision and takes the one to recommend, see Preflight.
  // What does not go by train() takes bf16.
  bool auto_precision = false;
  std::vector<LayerPrecision> layer_precision;  // of layers that differ from it
  std::string loss_scale = "auto";              // auto | dynamic | compatible | headroom | none | a power of two
  double scale_init = 0;                        // 0: suits the batch
  double scale_growth = 2;
  double scale_backoff = 0.5;
  std::int64_t scale_interval = 2000;
  double scale_min = 1;
  double scale_max = 16777216;  // 2^24
  std::int64_t scale_hysteresis = 1;
  bool scale_consecutive_hysteresis = false;
  double max_skip_rate = 0.5;         // of the last 100 steps; 1: off
  double clip_norm = 0;               // 0: off
  double clip_value = 0;              // 0: off
  std::string on_nonfinite = "skip";  // skip | rollback | stop: what a step that no loss scale can save does to the run

  // ---- optimizer ----
  OptimizerKind optimizer = OptimizerKind::adamw;
  double lr = 1e-3;
  double momentum = 0.9;  // sgd
  bool nesterov = false;  // sgd
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double muon_momentum = 0.95;  // muon
  double weight_decay = 0.01;
  double embedding_lr = 1;      // what the rate of the columns' vectors and the members' scales is multiplied by
  Dtype moments = Dtype::fp32;  // fp32 | bf16
  MasterKind master = MasterKind::fp32;
  std::string schedule = "cosine";  // constant | cosine | linear | step | one_cycle | plateau | ..., see ScheduleKind
  double decay = 0.1;               // step, plateau
  std::int64_t decays = 2;          // step
  std::int64_t decay_patience = 5;  // plateau: epochs
  std::int64_t warmup = 0;          // steps

  // ---- length ----
  std::int64_t epochs = 0;  // 0: enough for about a thousand steps, 20 to 200
  std::int64_t steps = 0;   // 0: epochs decide
  std::int64_t batch = 64;
  std::int64_t accumulate = 1;      // batches of a step
  std::int64_t early_stop = 0;      // epochs without a better held-out metric that end the run; 0: off
  bool refit = false;               // early_stop: then train on all rows for as many epochs as were best
  std::int64_t bag = 1;             // networks that answer together, each trained without another part of the rows
  double time_limit = 0;            // seconds of training; 0: off
  double ema = 0;                   // decay of the average of the weights, an applied step; 0: off
  std::int64_t average_epochs = 0;  // last epochs whose weights are averaged; 0: off
  std::string metric = "auto";      // auto: the loss; what early_stop goes by and epochs show
  // auto | temperature | none: whether a classifier's probabilities are brought in line with the rows held out. auto:
  // where there are such rows, and the quality is not plain or there is an ensemble.
  std::string calibrate = "auto";

  // ---- output ----
  std::string out;                         // model file; empty: "model.safetensors" in the current folder
  std::string metrics;                     // JSONL file
  std::string checkpoint_dir;              // folder; empty: no checkpoints
  std::int64_t checkpoint_every = 0;       // steps; 0: by time alone
  double checkpoint_minutes = 10;          // between two of them; 0: by steps alone
  std::int64_t checkpoint_keep = 3;        // newest that stay
  std::string on_save_error = "continue";  // or "stop": train() throws Error(io) after it has saved the model
  std::string resume;            // checkpoint, folder of them, or "auto": the newest good one of checkpoint_dir
  std::string init_from;         // model whose weights the run starts from
  std::string capsule = "auto";  // file for a step that went non-finite; auto: beside the model; none
  std::string tensorboard;       // folder for an event file; empty: none
  std::string report;            // HTML file: the whole run on a page
  std::int64_t meter_every = 0;  // steps between two readings of the meters; 0: off
};

// What the registry knows of a parameter. The texts live as long as the program.
struct ParameterInfo {
  std::string_view name;  // "clip-norm", as on the command line without dashes
  std::string_view type;  // "integer", "number", "flag", "text", "list", or the choices "a|b|c"
  std::string_view default_value;
  std::string_view range;  // "" where every value of the type is fine
  std::string_view help;
};

// All parameters in the order help prints them.
std::span<const ParameterInfo> parameters();

// The same as a JSON array of objects with name, type, default, range and help, all texts.
std::string parameters_json();

// Parses and stores one parameter. Throws Error(invalid_argument): unknown name (with the nearest one as
// the hint), a value of the wrong type or out of range.
void set_option(Options& options, std::string_view name, std::string_view value);

// Current value as text: what set_option would accept.
std::string get_option(const Options& options, std::string_view name);

// Reads "key = value" lines ('#' starts a comment). A key given twice is an error.
void read_config(Options& options, const std::string& path);

// Combinations that make no sense. Throws Error(invalid_argument).
void validate(const Options& options);

}  // namespace halfstep
