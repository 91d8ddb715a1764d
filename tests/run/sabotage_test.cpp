// Runs that were sabotaged, each in one way: the report must name the reason, the tensor and the line of the file. And
// healthy runs, of which it must say nothing.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <sstream>

#include "base/rng.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "run/model_file.hpp"
#include "support/effort.hpp"

namespace halfstep::internal::sabotage {
namespace {

using Row = std::vector<double>;  // inputs, then the target
using Mutation = std::function<void(std::size_t row, Row&)>;

constexpr std::size_t kRows = 300, kInputs = 4;

double noise(std::uint64_t row, std::uint64_t column) {
  const Rng rng(7, column);
  return static_cast<double>(rng.normal(row));
}

// A number that the inputs explain, or with `classes` one of two words. Row r stands in line r + 2.
std::string table(bool classes, const Mutation& mutate) {
  std::ostringstream out;
  out << "a,b,c,d,y\n";
  for (std::size_t r = 0; r < kRows; ++r) {
    Row row;
    for (std::size_t c = 0; c < kInputs; ++c) row.push_back(noise(r, c));
    row.push_back(row[0] + row[1] - row[2] * row[3]);
    if (mutate) mutate(r, row);
    for (std::size_t c = 0; c < kInputs; ++c) out << row[c] << ',';
    if (classes) {
      out << (row.back() > 0 ? "yes" : "no") << '\n';
    } else {
      out << row.back() << '\n';
    }
  }
  return out.str();
}

Mutation cell(std::size_t row, std::size_t column, double value) {
  return [=](std::size_t r, Row& values) {
    if (r == row) values[column] = value;
  };
}
Mutation times(std::size_t column, double factor) {
  return [=](std::size_t, Row& values) { values[column] *= factor; };
}
Mutation all_inputs(double factor) {
  return [=](std::size_t, Row& values) {
    for (std::size_t c = 0; c < kInputs; ++c) values[c] *= factor;
  };
}

struct Sabotage {
  const char* name;
  bool classes;
  Mutation mutate;
  std::function<void(Options&)> options;
  IncidentReason reason;
  const char* tensor;  // how it begins
  const char* place;   // "" : not checked
  const char* what;    // stands in why, or in advice
};

struct Seen {
  std::vector<Incident> incidents;
  bool diverged = false;
};

Seen run(const std::string& data, const Options& options) {
  Seen seen;
  TrainObserver observer;
  observer.on_incident = [&](const Incident& incident) { seen.incidents.push_back(incident); };
  try {
    train(data, options, observer);
  } catch (const Error& error) {
    seen.diverged = error.status() == Status::diverged;
    CHECK_MESSAGE(seen.diverged, error.what());
  }
  return seen;
}

Options small_run(const test::TempDir& dir) {
  Options options;
  options.out = dir / "model.safetensors";
  options.hidden = {16, 16};
  options.batch = 32;
  options.steps = 24;
  options.threads = 1;
  options.validation = 0.05;
  return options;
}

void fp16(Options& o) { o.precision = Dtype::fp16; }
void fp16_raw(Options& o) {
  o.precision = Dtype::fp16;
  o.standardize = "none";
}
void bf16_raw(Options& o) { o.standardize = "none"; }
void fp32_raw(Options& o) {
  o.precision = Dtype::fp32;
  o.standardize = "none";
}
auto with(const std::function<void(Options&)>& base, const std::function<void(Options&)>& more) {
  return [=](Options& o) {
    base(o);
    more(o);
  };
}

const Sabotage kSabotages[] = {
    {"one input of 1e30 in fp16", true, cell(100, 2, 1e30), fp16_raw, IncidentReason::bad_input, "input", "line 102",
     "'c'"},
    {"one input of 70000 in fp16", true, cell(55, 0, 70000), fp16_raw, IncidentReason::bad_input, "input", "line 57",
     "70000"},
    {"one input of -1e6 in fp16", false, cell(8, 3, -1e6), fp16_raw, IncidentReason::bad_input, "input", "line 10",
     "'d'"},
    {"one input of 1e30, values, bf16", false, cell(20, 1, 1e30), bf16_raw, IncidentReason::bad_input, "gradient of",
     "line 22", "'b'"},
    {"one input of 1e30, values, fp32", false, cell(20, 1, 1e30), fp32_raw, IncidentReason::bad_input, "gradient of",
     "line 22", "'b'"},
    {"one input of 1e38 through tanh", false, cell(20, 1, 1e38), with(fp32_raw, [](Options& o) { o.hidden = {16}; }),
     IncidentReason::bad_input, "", "line 22", "1e+38"},
    {"one input of 3e4 that overflows above", true, cell(33, 0, 6e4),
     with(fp16_raw,
          [](Options& o) {
            o.hidden = {64, 64, 64};
          }),
     IncidentReason::bad_input, "layers.", "line 35", "60000"},
    {"all inputs near 4e4", true, all_inputs(1e5), fp16_raw, IncidentReason::bad_input, "input", "",
     "fp16 ends at 65504"},
    {"all inputs of some hundreds, gated", true, all_inputs(900), with(fp16_raw, [](Options& o) { o.layer = "gated"; }),
     IncidentReason::range, "layers.0.output", "", "--standardize auto"},
    {"rate 1e4, adamw, bf16", true, nullptr, [](Options& o) { o.lr = 1e4; }, IncidentReason::learning_rate, "", "",
     "learning rate"},
    {"rate 1e4, adam, fp16", true, nullptr,
     with(fp16,
          [](Options& o) {
            o.lr = 1e4;
            o.optimizer = OptimizerKind::adam;
          }),
     IncidentReason::learning_rate, "layers.", "", "learning rate"},
    {"rate 1e3, adamw, fp16, values", false, nullptr, with(fp16, [](Options& o) { o.lr = 1e3; }),
     IncidentReason::learning_rate, "layers.", "", "--lr"},
    {"rate 100, sgd, fp32", false, nullptr,
     [](Options& o) {
       o.lr = 100;
       o.optimizer = OptimizerKind::sgd;
       o.precision = Dtype::fp32;
     },
     IncidentReason::learning_rate, "", "", "loss of the steps before"},
    {"rate 30, sgd, bf16", false, nullptr,
     [](Options& o) {
       o.lr = 30;
       o.optimizer = OptimizerKind::sgd;
     },
     IncidentReason::learning_rate, "", "", "--lr"},
    {"rate 30, lion, fp16", false, nullptr,
     with(fp16,
          [](Options& o) {
            o.lr = 30;
            o.optimizer = OptimizerKind::lion;
          }),
     IncidentReason::learning_rate, "layers.", "", "--lr 1e-04"},
    {"rate 1e20", true, nullptr, [](Options& o) { o.lr = 1e20; }, IncidentReason::learning_rate, "layers.", "",
     "--lr 0.001"},
    {"rate 1e4, radam, fp16", true, nullptr,
     with(fp16,
          [](Options& o) {
            o.lr = 1e4;
            o.optimizer = OptimizerKind::radam;
          }),
     IncidentReason::learning_rate, "layers.", "", "learning rate"},
    {"scale 2^24 fixed", true, nullptr, with(fp16, [](Options& o) { o.loss_scale = "16777216"; }),
     IncidentReason::loss_scale, "layers.2.d", "", "fits at scale / "},
    {"scale 2^24 fixed, values", false, nullptr, with(fp16, [](Options& o) { o.loss_scale = "16777216"; }),
     IncidentReason::loss_scale, "layers.", "", "fits at scale / "},
    {"scale 2^24 at the start", true, nullptr, with(fp16, [](Options& o) { o.scale_init = 16777216; }),
     IncidentReason::loss_scale, "layers.", "", "fits at scale / "},
    {"scale 2^24, layer norm", true, nullptr,
     with(fp16,
          [](Options& o) {
            o.loss_scale = "16777216";
            o.norm = Norm::layer;
          }),
     IncidentReason::loss_scale, "layers.2.d", "", "fits at scale / "},
    {"scale 2^24, mae", false, nullptr,
     with(fp16,
          [](Options& o) {
            o.loss_scale = "16777216";
            o.loss = "mae";
          }),
     IncidentReason::loss_scale, "layers.2.d", "", "fits at scale / "},
    {"clip to 1e-38", true, nullptr,
     [](Options& o) {
       o.clip_norm = 1e-38;
       o.precision = Dtype::fp32;
     },
     IncidentReason::unscale, "", "", "--clip-norm"},
    {"a deep residual stream", true, times(0, 1),
     with(fp16,
          [](Options& o) {
            o.residual = true;
            o.hidden = std::vector<std::int64_t>(30, 16);
            o.lr = 0.5;
          }),
     IncidentReason::unknown, "layers.", "", ""},
    {"accumulated, the row is in the third part", true, cell(100, 2, 1e30),
     with(fp16_raw,
          [](Options& o) {
            o.batch = 8;
            o.accumulate = 4;
          }),
     IncidentReason::bad_input, "input", "line 102", "'c'"},
    {"a row in an odd batch", true, cell(100, 2, 1e30),
     with(fp16_raw,
          [](Options& o) {
            o.batch = 7;
            o.steps = 60;
          }),
     IncidentReason::bad_input, "input", "line 102", "'c'"},
    {"a poisonous row under batch norm", true, cell(77, 1, 1e9),
     with(fp16_raw, [](Options& o) { o.norm = Norm::batch; }), IncidentReason::bad_input, "input", "line 79", "'b'"},
    {"a poisonous row under dropout", true, cell(77, 1, 1e9), with(fp16_raw, [](Options& o) { o.dropout = 0.3; }),
     IncidentReason::bad_input, "input", "line 79", "'b'"},
    {"a row for one fp16 layer", true, cell(12, 3, 1e6),
     [](Options& o) {
       o.standardize = "none";
       o.layer_precision = {{0, Dtype::fp16}};
     },
     IncidentReason::bad_input, "input", "line 14", "'d'"},
    {"a fixed scale of 2^24 in one fp16 layer", true, nullptr,
     [](Options& o) {
       o.layer_precision = {{2, Dtype::fp16}};
       o.loss_scale = "16777216";
     },
     IncidentReason::loss_scale, "layers.2.d", "", "fits at scale / "},
    {"sixty sigmoid layers in fp16", true, nullptr,
     with(fp16,
          [](Options& o) {
            o.activation = Activation::sigmoid;
            o.hidden = std::vector<std::int64_t>(60, 8);
          }),
     IncidentReason::vanished, "layers.", "", "do not learn"},
    {"sixty sigmoid layers in fp32", true, nullptr,
     [](Options& o) {
       o.precision = Dtype::fp32;
       o.activation = Activation::sigmoid;
       o.hidden = std::vector<std::int64_t>(60, 8);
     },
     IncidentReason::vanished, "layers.", "", "--norm layer"},
    {"headroom from far above", true, cell(12, 3, 1e6), with(fp16_raw, [](Options& o) { o.loss_scale = "headroom"; }),
     IncidentReason::bad_input, "input", "line 14", "'d'"},
};

}  // namespace

TEST_CASE("sabotage: each incident names its reason, tensor and line") {
  for (const Sabotage& s : kSabotages) {
    CAPTURE(s.name);
    const test::TempDir dir;
    const std::string data = dir / "data.csv";
    test::write_bytes(data, table(s.classes, s.mutate));
    Options options = small_run(dir);
    s.options(options);
    const Seen seen = run(data, options);
    REQUIRE(!seen.incidents.empty());
    const Incident& i = seen.incidents.front();
    CAPTURE(text(i));
    if (s.reason != IncidentReason::unknown) {
      CHECK(i.reason == s.reason);
    } else {
      CHECK((i.reason == IncidentReason::range || i.reason == IncidentReason::learning_rate));
    }
    CHECK(i.tensor.starts_with(s.tensor));
    if (*s.place != 0) CHECK(i.place == s.place);
    CHECK((i.why + i.advice).find(s.what) != std::string::npos);
  }
}

// Weights that a run starts from, and did not make.
TEST_CASE("sabotage: weights scaled by 100000 in one layer are told from a learning rate that is too high") {
  const test::TempDir dir;
  const std::string data = dir / "data.csv";
  test::write_bytes(data, table(true, nullptr));
  Options options = small_run(dir);
  options.out = dir / "start.safetensors";
  train(data, options, {});
  SavedModel model = load_model(options.out);
  for (NamedTensor& t : model.tensors) {
    if (t.name != "layers.1.weight") continue;
    for (float& v : t.values) v *= 1e5f;
  }
  save_model(options.out, model);
  options.init_from = options.out;
  options.out = dir / "model.safetensors";
  options.precision = Dtype::fp16;
  const Seen seen = run(data, options);
  REQUIRE(!seen.incidents.empty());
  const Incident& i = seen.incidents.front();
  CAPTURE(text(i));
  CHECK(i.step == 1);
  CHECK(i.reason == IncidentReason::bad_weights);
  CHECK(i.why.find("layers.1.weight") != std::string::npos);
}

TEST_CASE("sabotage: of healthy runs nothing is said") {
  for (const Dtype precision : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
    for (const Norm norm : {Norm::none, Norm::layer, Norm::batch}) {
      for (const bool classes : {false, true}) {
        for (const char* layer : {"dense", "gated"}) {
          if (norm != Norm::none && std::string(layer) == "gated") continue;
          const test::TempDir dir;
          const std::string data = dir / "data.csv";
          test::write_bytes(data, table(classes, nullptr));
          Options options = small_run(dir);
          options.precision = precision;
          options.norm = norm;
          options.layer = layer;
          const Seen seen = run(data, options);
          CHECK_FALSE(seen.diverged);
          for (const Incident& i : seen.incidents) {
            // A scale that is found by trial is no alarm.
            CHECK_MESSAGE((i.reason == IncidentReason::loss_scale && i.capsule.empty()), text(i));
          }
        }
      }
    }
  }
}

TEST_CASE("sabotage: a run mends what it is told to mend, and says so") {
  const test::TempDir dir;
  const std::string data = dir / "data.csv";
  test::write_bytes(data, table(true, cell(100, 2, 1e30)));
  Options options = small_run(dir);
  fp16_raw(options);
  options.on_nonfinite = "rollback";
  TrainResult r = train(data, options, {});
  REQUIRE(r.recoveries.size() == 1);
  CHECK(r.recoveries.front().find("line 102") != std::string::npos);
  CHECK(r.steps.skipped == 1);
  CHECK(!r.warnings.empty());

  test::write_bytes(data, table(true, nullptr));
  options = small_run(dir);
  options.on_nonfinite = "rollback";
  options.lr = 1e4;
  options.steps = 200;
  r = train(data, options, {});
  CHECK(!r.recoveries.empty());
  CHECK(std::isfinite(r.train.loss));

  options.on_nonfinite = "stop";
  CHECK(run(data, options).diverged);
}

}  // namespace halfstep::internal::sabotage
