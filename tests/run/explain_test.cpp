// What a model goes by, of models whose weights say it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.hpp"
#include "data/data.hpp"
#include "halfstep/model.hpp"
#include "io/temp_dir.hpp"
#include "run/column_groups.hpp"
#include "run/dependence.hpp"
#include "run/machine.hpp"
#include "run/model_file.hpp"
#include "run/output_meaning.hpp"
#include "run/prepare.hpp"

namespace halfstep::internal {
namespace {
namespace of_explain {

// y = 4 a - 2 b + 10, and c is noise; m is 0 but for one row in ten, and missing in some.
std::string table(std::size_t rows) {
  const Rng random(21, 1);
  std::string text = "a,b,c,m,colour,y\n";
  for (std::size_t i = 0; i < rows; ++i) {
    const auto at = [&](std::size_t k) { return static_cast<double>(random.uniform(4 * i + k)); };
    const double a = 10 * at(0), b = at(1) - 100;
    text += std::to_string(a) + "," + std::to_string(b) + "," + std::to_string(at(2)) + ",";
    text += (i % 10 == 7 ? std::to_string(50 + i) : i % 10 == 3 ? std::string() : "0") + std::string(",");
    text += std::string(i % 5 == 0 ? "red" : i % 5 == 1 ? "blue" : "green") + ",";
    text += std::to_string(4 * a - 2 * b + 10) + "\n";
  }
  return text;
}

Options linear() {
  Options options;
  options.hidden.clear();
  options.precision = Dtype::fp32;
  options.steps = 400;
  options.lr = 0.05;
  options.threads = 1;
  options.drop = {"m", "colour"};
  return options;
}

}  // namespace of_explain
}  // namespace

TEST_CASE("explain: of a linear model the dependence is its slope, and a column with a weight of 0 moves nothing") {
  const test::TempDir dir;
  test::write_bytes(dir / "t.csv", of_explain::table(2000));
  Options options = of_explain::linear();
  options.out = dir / "m.safetensors";
  train(dir / "t.csv", options, {});
  SavedModel saved = load_model(options.out);
  auto weight = std::find_if(saved.tensors.begin(), saved.tensors.end(),
                             [](const NamedTensor& t) { return t.role == ParameterRole::weight; });
  REQUIRE(weight != saved.tensors.end());
  REQUIRE(weight->values.size() == 3);
  weight->values[2] = 0;
  save_model(options.out, saved);

  const Explanation e = explain(options.out, dir / "t.csv", 3, options);
  CHECK(e.rows == 2000);
  CHECK(e.used == 2000);
  REQUIRE(e.columns.size() == 3);
  CHECK(e.columns[0].name == "a");
  CHECK(e.columns[1].name == "b");
  CHECK(e.columns[2].name == "c");
  CHECK(e.columns[2].increase == 0);
  CHECK(e.columns[2].deviation == 0);
  // Of squared error w^2 E(x - x')^2 = 2 w^2 Var(x), as the loss has it: half, or the whole.
  const double a = static_cast<double>(weight->values[0]), b = static_cast<double>(weight->values[1]);
  CHECK(e.columns[0].increase / e.columns[1].increase == doctest::Approx(a * a / (b * b)).epsilon(0.15));
  CHECK(e.columns[0].deviation < 0.2 * e.columns[0].increase);
  CHECK(e.columns[0].deviation > 0);

  const auto& columns = saved.preprocessor.recipe().columns;
  const double units = saved.preprocessor.targets()[0].scale;
  REQUIRE(e.dependences.size() == 3);
  for (std::size_t d = 0; d < 3; ++d) {
    const Dependence& of = e.dependences[d];
    CHECK(of.column == e.columns[d].name);
    CHECK(of.is_number);
    REQUIRE(of.outputs == std::vector<std::string>{"y"});
    REQUIRE(of.points.size() == 12);
    const double slope = static_cast<double>(weight->values[d]) * units / columns[d].scale;
    for (const DependencePoint& point : of.points) {
      const double expected = of.points[0].means[0] + slope * (point.number - of.points[0].number);
      CHECK(point.means[0] == doctest::Approx(expected).epsilon(1e-4));
    }
  }
  CHECK(e.dependences[0].points.front().number < 0.5);
  CHECK(e.dependences[0].points.back().number > 9.5);
}

TEST_CASE("explain: what was a number is one again, embedded or not, and what was missing is none") {
  const test::TempDir dir;
  test::write_bytes(dir / "t.csv", of_explain::table(600));
  for (const bool embedded : {false, true}) {
    Options options;
    options.embedding = embedded ? 4 : 0;
    const data::RawData raw = data::read_data(dir / "t.csv", options);
    const data::Table before = *raw.table();
    const data::Preprocessor p = data::Preprocessor::fit(raw, options);
    const data::Examples examples = p.apply(raw, true);
    const std::vector<ColumnGroup> groups = column_groups(p.recipe());
    REQUIRE(groups.size() == 5);  // that of m too, most of whose values are one
    for (std::size_t g = 0; g < 4; ++g) {
      for (std::size_t row = 0; row < examples.rows; ++row) {
        const float* const features = examples.x.data() + row * examples.features + groups[g].first;
        const double found = number_of(p.recipe(), *groups[g].column, features);
        const double truth = before.columns[g].numbers[row];
        if (std::isnan(truth)) {
          CHECK((embedded ? std::isnan(found) : found == doctest::Approx(groups[g].column->mean)));
        } else {
          CHECK(found == doctest::Approx(truth).epsilon(1e-5));
        }
      }
    }
  }
}

TEST_CASE("explain: categories are told by their names, the most frequent first, and outputs as predicted") {
  const test::TempDir dir;
  test::write_bytes(dir / "t.csv", of_explain::table(500));
  for (const std::int64_t embedding : {0, 4}) {
    Options options = of_explain::linear();
    options.embedding = embedding;
    options.drop.clear();
    options.target = "colour";
    options.steps = 20;
    options.out = dir / "m.safetensors";
    train(dir / "t.csv", options, {});
    const Explanation e = explain(options.out, dir / "t.csv", 5, options);
    for (const Dependence& of : e.dependences) {
      CHECK(of.outputs.size() == 3);
      for (const DependencePoint& point : of.points) {
        CHECK(point.means[0] + point.means[1] + point.means[2] == doctest::Approx(1).epsilon(1e-5));
      }
    }
    options.target = "y";
    train(dir / "t.csv", options, {});
    const Explanation values = explain(options.out, dir / "t.csv", 5, options);
    const auto colour = std::find_if(values.dependences.begin(), values.dependences.end(),
                                     [](const Dependence& d) { return d.column == "colour"; });
    REQUIRE(colour != values.dependences.end());
    CHECK_FALSE(colour->is_number);
    REQUIRE(colour->points.size() == 3);
    CHECK(colour->points[0].value == "green");
  }
}

TEST_CASE("explain: intervals and probabilities of a model file are those of the run") {
  const test::TempDir dir;
  test::write_bytes(dir / "t.csv", of_explain::table(500));
  Options options = of_explain::linear();
  options.out = dir / "m.safetensors";
  const TrainResult result = train(dir / "t.csv", options, {});
  CHECK(result.intervals.find("50 rows held out") != std::string::npos);
  const SavedModel saved = load_model(options.out);
  REQUIRE(saved.held_out.intervals.any());
  CHECK(inspect(options.out).intervals == result.intervals);
  // By hand: the tenth that was held out, what is predicted of it, and the miss that 0.8 of 51 do not exceed.
  const Prepared prepared = prepare(dir / "t.csv", options);
  REQUIRE(prepared.validation.rows == 50);
  const std::vector<float> said = Model(options.out).predict(prepared.validation.x);
  std::vector<double> misses;
  for (std::size_t i = 0; i < 50; ++i) {
    const TargetUnits units = output_meaning(saved).targets[0];
    misses.push_back(
        std::fabs(prepared.validation.exact_targets[i] * units.scale + units.mean - static_cast<double>(said[i])));
  }
  std::sort(misses.begin(), misses.end());
  const Predictions all = predict(options.out, dir / "t.csv", options, 0.8);
  REQUIRE(all.lower.size() == all.values.size());
  CHECK((all.upper[0] - all.lower[0]) / 2 == doctest::Approx(misses[40]).epsilon(1e-3));
  for (std::size_t i = 0; i < all.values.size(); ++i) {
    CHECK(all.values[i] == doctest::Approx((all.upper[i] + all.lower[i]) / 2));
  }
}

}  // namespace halfstep::internal
