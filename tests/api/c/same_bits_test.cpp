// What halfstep.h calculates has the bits of the C++ classes.
#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "api/c/small_run.hpp"
#include "halfstep/model.hpp"
#include "halfstep/trainer.hpp"
#include "io/temp_dir.hpp"
#include "support/failing_new.hpp"

namespace halfstep::test {
namespace {

Options options_of_small_run() {
  Options options;
  options.threads = 1;
  options.batch = 16;
  options.steps = 4;
  return options;
}

std::vector<float> predicted(hs_trainer* trainer, const hs_matrix& x) {
  std::uint64_t needed = 0;
  HS_CHECK_OK(hs_trainer_predict(trainer, &x, nullptr, 0, &needed));
  std::vector<float> outputs(needed);
  HS_CHECK_OK(hs_trainer_predict(trainer, &x, outputs.data(), outputs.size(), nullptr));
  return outputs;
}

bool same(const std::vector<unsigned char>& a, const std::vector<std::byte>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

TEST_CASE("c: the same bits as the C++ trainer and model") {
  SmallRun run;
  const auto& rows = run.rows;
  const Dataset data = Dataset::classes(3, rows.x, rows.labels);
  Trainer trainer({.widths = {3, 8, 2}}, data, options_of_small_run());
  CHECK(same(state_of(run.trainer), trainer.state()));

  const hs_batch batch = run.batch();
  hs_step_record record = HS_STEP_RECORD_INIT;
  HS_CHECK_OK(hs_trainer_step_batch(run.trainer, &batch, &record));
  const StepRecord expected = trainer.step({.x = rows.x, .labels = rows.labels, .values = {}});
  CHECK(record.loss == expected.loss);
  CHECK(record.grad_norm == expected.grad_norm);
  CHECK(record.lr == expected.lr);
  CHECK(record.step == 1);
  CHECK(record.applied == 1);
  HS_CHECK_OK(hs_trainer_run(run.trainer, nullptr, nullptr));
  while (!trainer.done()) trainer.step();
  CHECK(same(state_of(run.trainer), trainer.state()));

  const hs_matrix x = rows.matrix();
  CHECK(predicted(run.trainer, x) == trainer.predict(rows.x));
  hs_metrics metrics = HS_METRICS_INIT;
  HS_CHECK_OK(hs_trainer_evaluate(run.trainer, run.data, &metrics));
  const Metrics m = trainer.evaluate(data);
  CHECK(metrics.loss == m.loss);
  CHECK(metrics.accuracy == m.accuracy);
  CHECK(metrics.rows == m.rows);
  CHECK(metrics.classification == 1);

  const TempDir dir;
  HS_CHECK_OK(hs_trainer_save(run.trainer, (dir / "c").c_str()));
  trainer.save(dir / "cpp");
  CHECK(read_bytes(dir / "c") == read_bytes(dir / "cpp"));
  hs_model* model = nullptr;
  HS_CHECK_OK(hs_model_load((dir / "c").c_str(), run.config, &model));
  std::uint64_t inputs = 0, outputs = 0, classes = 0;
  HS_CHECK_OK(hs_model_shape(model, &inputs, &outputs, &classes));
  CHECK(inputs == 3);
  CHECK(outputs == 2);
  CHECK(classes == 2);
  std::vector<float> of_model(rows.kRows * outputs);
  HS_CHECK_OK(hs_model_predict(model, &x, of_model.data(), of_model.size(), nullptr));
  CHECK(of_model == Model(dir / "cpp").predict(rows.x));

  hs_predictor* predictor = nullptr;
  HS_CHECK_OK(hs_predictor_create(model, 7, 1, &predictor));
  HS_CHECK_OK(hs_model_destroy(model));  // the predictor has what it needs
  std::vector<float> of_predictor(of_model.size());
  const Allocations before = allocations();
  const hs_status status = hs_predictor_predict(predictor, &x, of_predictor.data(), of_predictor.size(), nullptr);
  CHECK(allocations().taken == before.taken);
  HS_CHECK_OK(status);
  CHECK(of_predictor == of_model);
  auto* over = const_cast<float*>(rows.x.data()) + 100;  // is refused before it is written to
  CHECK(hs_predictor_predict(predictor, &x, over, of_model.size(), nullptr) == HS_STATUS_INVALID_ARGUMENT);
  CHECK(std::string(hs_predictor_message(predictor)).find("overlaps") != std::string::npos);
  HS_CHECK_OK(hs_predictor_destroy(predictor));
}

TEST_CASE("c: fp64 and strides mean the same rows") {
  SmallRun run;
  const std::vector<float> expected = predicted(run.trainer, run.rows.matrix());
  std::vector<double> wide(SmallData::kRows * 5, 99);
  std::vector<float> spread(SmallData::kRows * 4, 99);
  for (std::size_t i = 0; i < SmallData::kRows; ++i) {
    for (std::size_t j = 0; j < 3; ++j) wide[i * 5 + j] = spread[i * 4 + j] = run.rows.x[i * 3 + j];
  }
  CHECK(predicted(run.trainer, {wide.data(), SmallData::kRows, 3, 40, HS_DTYPE_FP64, 0}) == expected);
  CHECK(predicted(run.trainer, {spread.data(), SmallData::kRows, 3, 16, HS_DTYPE_FP32, 0}) == expected);
  // Outputs over their own inputs.
  std::vector<float> both = run.rows.x;
  const hs_matrix x = {both.data(), SmallData::kRows, 3, 0, HS_DTYPE_FP32, 0};
  HS_CHECK_OK(hs_trainer_predict(run.trainer, &x, both.data(), both.size(), nullptr));
  both.resize(expected.size());
  CHECK(both == expected);
}

TEST_CASE("c: values, parameters and a state that goes on") {
  SmallRun run;
  const hs_matrix x = run.rows.matrix();
  std::vector<float> values;
  for (std::size_t i = 0; i < SmallData::kRows; ++i) values.push_back(run.rows.x[i * 3] * 2 - 1);
  const std::uint64_t widths[] = {3, 8, 1};
  hs_model_spec spec = HS_MODEL_SPEC_INIT;
  spec.widths = widths;
  spec.width_count = 3;
  spec.loss = "mse";
  spec.precision = "fp32";
  spec.activation = "tanh";
  hs_dataset* data = nullptr;
  hs_trainer *a = nullptr, *b = nullptr;
  HS_CHECK_OK(hs_dataset_create_values(&x, values.data(), values.size(), &data));
  HS_CHECK_OK(hs_trainer_create(&spec, data, run.config, &a));
  HS_CHECK_OK(hs_trainer_create(&spec, data, run.config, &b));
  HS_CHECK_OK(hs_dataset_destroy(data));  // both have what they need
  HS_CHECK_OK(hs_trainer_step(a, nullptr));
  const auto state = state_of(a);
  HS_CHECK_OK(hs_trainer_state_set(b, state.data(), state.size()));
  HS_CHECK_OK(hs_trainer_run(a, nullptr, nullptr));
  HS_CHECK_OK(hs_trainer_run(b, nullptr, nullptr));
  CHECK(state_of(a) == state_of(b));

  std::vector<float> bias(8);
  HS_CHECK_OK(hs_trainer_parameter_get(a, "layers.0.bias", bias.data(), bias.size(), nullptr));
  for (float& v : bias) v += 1;
  HS_CHECK_OK(hs_trainer_parameter_set(a, "layers.0.bias", bias.data(), bias.size()));
  std::vector<float> read(8);
  HS_CHECK_OK(hs_trainer_parameter_get(a, "layers.0.bias", read.data(), read.size(), nullptr));
  CHECK(read == bias);
  CHECK(predicted(a, x) != predicted(b, x));
  const TempDir dir;
  HS_CHECK_OK(hs_trainer_save(a, (dir / "values").c_str()));
  hs_model* model = nullptr;
  HS_CHECK_OK(hs_model_load((dir / "values").c_str(), nullptr, &model));
  std::vector<float> outputs(SmallData::kRows);
  HS_CHECK_OK(hs_model_predict(model, &x, outputs.data(), outputs.size(), nullptr));
  CHECK(outputs == predicted(a, x));
  HS_CHECK_OK(hs_model_destroy(model));
  HS_CHECK_OK(hs_trainer_destroy(a));
  HS_CHECK_OK(hs_trainer_destroy(b));
}

TEST_CASE("c: several values for each row") {
  SmallRun run;
  const hs_matrix x = run.rows.matrix();
  std::vector<float> values;
  for (std::size_t i = 0; i < SmallData::kRows; ++i) {
    values.insert(values.end(), {run.rows.x[i * 3] * 2 - 1, run.rows.x[i * 3 + 1]});
  }
  const std::uint64_t widths[] = {3, 8, 2};
  hs_model_spec spec = HS_MODEL_SPEC_INIT;
  spec.widths = widths;
  spec.width_count = 3;
  spec.loss = "mse";
  hs_dataset* data = nullptr;
  hs_trainer* trainer = nullptr;
  CHECK(hs_dataset_create_values(&x, values.data(), values.size() - 1, &data) == HS_STATUS_INVALID_ARGUMENT);
  HS_CHECK_OK(hs_dataset_create_values(&x, values.data(), values.size() / 2, &data));
  CHECK(hs_trainer_create(&spec, data, run.config, &trainer) == HS_STATUS_INVALID_ARGUMENT);  // one for two outputs
  HS_CHECK_OK(hs_dataset_destroy(data));
  HS_CHECK_OK(hs_dataset_create_values(&x, values.data(), values.size(), &data));
  HS_CHECK_OK(hs_trainer_create(&spec, data, run.config, &trainer));
  HS_CHECK_OK(hs_trainer_run(trainer, nullptr, nullptr));
  hs_metrics metrics = HS_METRICS_INIT;
  HS_CHECK_OK(hs_trainer_evaluate(trainer, data, &metrics));
  const std::vector<float> p = predicted(trainer, x);
  double rmse = 0;
  for (std::size_t t = 0; t < 2; ++t) {
    double squares = 0;
    for (std::size_t i = t; i < values.size(); i += 2) squares += std::pow(p.at(i) - values[i], 2);
    rmse += std::sqrt(squares / static_cast<double>(SmallData::kRows)) / 2;
  }
  CHECK(metrics.rmse == doctest::Approx(rmse).epsilon(1e-4));
  HS_CHECK_OK(hs_dataset_destroy(data));
  HS_CHECK_OK(hs_trainer_destroy(trainer));
}

TEST_CASE("c: data that is read, config from a file") {
  const TempDir dir;
  write_bytes(dir / "run.conf", "lr = 0.25\nbatch = 8\n");
  write_bytes(dir / "bad.conf", "lr = 0.5\nbatch = none\n");
  write_bytes(dir / "data.csv", "a,b,kind\n1,2,yes\n2,1,no\n3,4,yes\n4,3,no\n");
  SmallRun run;
  char buffer[32];
  HS_CHECK_OK(hs_config_read_file(run.config, (dir / "run.conf").c_str()));
  CHECK(hs_config_read_file(run.config, (dir / "bad.conf").c_str()) != HS_STATUS_OK);
  HS_CHECK_OK(hs_config_get(run.config, "lr", buffer, sizeof buffer, nullptr));
  CHECK(std::string(buffer) == "0.25");
  hs_dataset* data = nullptr;
  HS_CHECK_OK(hs_dataset_read((dir / "data.csv").c_str(), nullptr, &data));
  std::uint64_t rows = 0, features = 0, classes = 0;
  HS_CHECK_OK(hs_dataset_shape(data, &rows, &features, &classes));
  CHECK(rows == 4);
  CHECK(features == 2);
  CHECK(classes == 2);
  HS_CHECK_OK(hs_dataset_class_name(data, 0, buffer, sizeof buffer, nullptr));
  CHECK(std::string(buffer) == "no");
  HS_CHECK_OK(hs_dataset_destroy(data));
  CHECK(hs_dataset_read((dir / "none.csv").c_str(), nullptr, &data) == HS_STATUS_IO);
}

}  // namespace halfstep::test
