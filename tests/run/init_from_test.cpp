// Runs that start from a model's weights: what they take over, and what is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "run/model_file.hpp"

namespace halfstep::internal {
namespace {

// Two numbers, a colour, and what follows from them.
std::string fine_tune_table(const test::TempDir& dir, const char* file, double shift, const char* columns,
                            const char* classes) {
  std::ofstream out(dir / file);
  out << columns << '\n';
  for (int i = 0; i < 90; ++i) {
    const double a = std::sin(i * 12.9898) + shift, b = std::sin(i * 4.1414);
    out << a << ',' << b << ',' << (i % 3 == 0 ? "red" : "blue") << ',' << classes[a - shift > b ? 0 : i % 2 + 1]
        << '\n';
  }
  return dir / file;
}

Options fine_tuned(const test::TempDir& dir) {
  Options options;
  options.hidden = {6};
  options.precision = Dtype::fp32;
  options.steps = 30;
  options.threads = 1;
  options.out = dir / "start.safetensors";
  return options;
}

// Steps that change nothing.
Options standing_still(Options options, const test::TempDir& dir) {
  options.init_from = options.out;
  options.out = dir / "next.safetensors";
  options.lr = 1e-30;
  return options;
}

const std::vector<float>& values_of(const SavedModel& model, const std::string& name) {
  const auto at = std::find_if(model.tensors.begin(), model.tensors.end(),
                               [&](const NamedTensor& tensor) { return tensor.name == name; });
  REQUIRE(at != model.tensors.end());
  return at->values;
}

std::vector<std::string> notes_of(const std::string& data, const Options& options) {
  std::vector<std::string> notes;
  TrainObserver observer;
  observer.on_plan = [&](const RunPlan& plan) { notes = plan.notes; };
  train(data, options, observer);
  return notes;
}

bool any_says(const std::vector<std::string>& notes, const std::string& part) {
  return std::any_of(notes.begin(), notes.end(),
                     [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("init from: the same outputs keep every weight, and the inputs are read as the model reads them") {
  const test::TempDir dir;
  Options options = fine_tuned(dir);
  const std::string data = fine_tune_table(dir, "t.csv", 0, "a,b,colour,y", "pqr");
  const TrainResult first = train(data, options, {});
  Options next = standing_still(options, dir);
  // Rows that are elsewhere, columns in another order and one more: the means and scales stay those of the model.
  const std::string shifted = fine_tune_table(dir, "s.csv", 5, "a,b,colour,y", "pqr");
  CHECK(any_says(notes_of(shifted, next), "starts from the weights of 30 steps"));
  CHECK(inspect(next.out).weights_digest == first.weights_digest);
  CHECK(inspect(next.out).preprocessing == inspect(options.out).preprocessing);
  const Predictions before = predict(options.out, shifted, {}), after = predict(next.out, shifted, {});
  CHECK(before.values == after.values);
  // From a checkpoint as well, and in 16 bits, whose masters are these weights.
  Options saving = options;
  saving.out = dir / "other.safetensors";
  saving.checkpoint_dir = dir / "c";
  next.init_from = train(data, saving, {}).checkpoint;
  next.precision = Dtype::bf16;
  CHECK(train(data, next, {}).weights_digest == first.weights_digest);
}

TEST_CASE("init from: other classes or another kind of target get a new last layer") {
  const test::TempDir dir;
  Options options = fine_tuned(dir);
  train(fine_tune_table(dir, "t.csv", 0, "a,b,colour,y", "pqr"), options, {});
  const SavedModel start = load_model(options.out);
  Options next = standing_still(options, dir);
  const std::string other = fine_tune_table(dir, "o.csv", 0, "a,b,colour,y", "uvw");
  CHECK(any_says(notes_of(other, next), "with a new last layer"));
  SavedModel model = load_model(next.out);
  CHECK(values_of(model, "layers.0.weight") == values_of(start, "layers.0.weight"));
  CHECK(values_of(model, "layers.1.weight") != values_of(start, "layers.1.weight"));
  CHECK(predict(next.out, other, {}).classes == std::vector<std::string>{"u", "v", "w"});
  // A number to predict, of a table with a column more.
  std::ofstream table(dir / "n.csv");
  table << "extra,a,b,colour,price\n";
  for (int i = 0; i < 40; ++i) table << i % 7 << ',' << i * 0.1 << ',' << i % 5 << ",red," << i * 1.5 << '\n';
  table.close();
  CHECK(any_says(notes_of(dir / "n.csv", next), "does not have them: 'extra'"));
  model = load_model(next.out);
  CHECK(model.spec.widths == std::vector<std::size_t>{4, 6, 1});
  CHECK(values_of(model, "layers.0.weight") == values_of(start, "layers.0.weight"));
  CHECK(predict(next.out, dir / "n.csv", {}).values.size() == 40);
}

TEST_CASE("init from: what does not fit is refused, and the model that is read is never written") {
  const test::TempDir dir;
  Options options = fine_tuned(dir);
  const std::string data = fine_tune_table(dir, "t.csv", 0, "a,b,colour,y", "pqr");
  train(data, options, {});
  const auto refused = [&](const std::string& path, auto change) -> std::string {
    Options next = standing_still(options, dir);
    change(next);
    try {
      train(path, next, {});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const auto says = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  CHECK(says(refused(data, [](Options& o) { o.hidden = {7}; }), "--hidden is 7 here, 6 in the model"));
  CHECK(says(refused(data, [](Options& o) { o.activation = Activation::tanh; }), "--activation"));
  CHECK(says(refused(data, [](Options& o) { o.out = o.init_from; }), "--init-from"));
  CHECK(says(refused(data, [](Options& o) { o.init_from += "x"; }), "start.safetensorsx"));
  const std::string renamed = fine_tune_table(dir, "r.csv", 0, "a,c,colour,y", "pqr");
  CHECK(says(refused(renamed, [](Options&) {}), "missing among its inputs: 'b'"));
  CHECK(says(refused("builtin:digits", [](Options&) {}), "another kind"));
}

}  // namespace halfstep::internal
