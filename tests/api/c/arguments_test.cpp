// Whatever a caller in C hands over: a status, a message and nothing changed.
#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <string>

#include "api/c/small_run.hpp"
#include "io/temp_dir.hpp"

namespace halfstep::test {
namespace {

constexpr hs_status kInvalid = HS_STATUS_INVALID_ARGUMENT;

bool last_says(const char* part) { return std::string(hs_last_message()).find(part) != std::string::npos; }

}  // namespace

TEST_CASE("c: status names, version") {
  CHECK(hs_abi_version() == HS_ABI_VERSION);
  CHECK(std::string(hs_version_string()).find('.') != std::string::npos);
  CHECK(std::string(hs_status_name(HS_STATUS_OK)) == "OK");
  CHECK(std::string(hs_status_name(HS_STATUS_INTERNAL)) == "INTERNAL");
  CHECK(std::string(hs_status_name(-1)) == "UNKNOWN");
  CHECK(std::string(hs_status_name(11)) == "UNKNOWN");
}

TEST_CASE("c: the least sizes end where their comments say") {
  CHECK(HS_MODEL_SPEC_LEAST == offsetof(hs_model_spec, layer));
  CHECK(HS_BATCH_LEAST == offsetof(hs_batch, values));
  CHECK(HS_STEP_RECORD_LEAST == offsetof(hs_step_record, lr));
  CHECK(HS_STEP_COUNTS_LEAST == sizeof(hs_step_counts));
  CHECK(HS_METRICS_LEAST == offsetof(hs_metrics, rmse));
}

TEST_CASE("c: null for a handle or a result") {
  std::uint64_t n = 0;
  std::int32_t done = 0;
  float f = 0;
  hs_step_counts counts = HS_STEP_COUNTS_INIT;
  hs_metrics metrics = HS_METRICS_INIT;
  SmallRun run;
  const hs_matrix x = run.rows.matrix();
  const hs_batch batch = run.batch();
  HS_CHECK_OK(hs_config_destroy(nullptr));
  HS_CHECK_OK(hs_dataset_destroy(nullptr));
  HS_CHECK_OK(hs_trainer_destroy(nullptr));
  HS_CHECK_OK(hs_model_destroy(nullptr));
  CHECK(hs_config_create(nullptr) == kInvalid);
  CHECK(hs_config_set(nullptr, "lr", "1") == kInvalid);
  CHECK(last_says("null"));
  CHECK(hs_config_set(run.config, nullptr, "1") == kInvalid);
  CHECK(hs_config_set(run.config, "lr", nullptr) == kInvalid);
  CHECK(hs_config_get(nullptr, "lr", nullptr, 0, &n) == kInvalid);
  CHECK(hs_config_get(run.config, nullptr, nullptr, 0, &n) == kInvalid);
  CHECK(hs_config_get(run.config, "lr", nullptr, 0, nullptr) == kInvalid);
  CHECK(hs_config_read_file(nullptr, "x") == kInvalid);
  CHECK(hs_config_read_file(run.config, nullptr) == kInvalid);
  CHECK(std::string(hs_config_message(nullptr)).empty());

  hs_dataset* data = nullptr;
  CHECK(hs_dataset_create_classes(nullptr, run.rows.labels.data(), 40, 0, &data) == kInvalid);
  CHECK(hs_dataset_create_classes(&x, nullptr, 40, 0, &data) == kInvalid);
  CHECK(hs_dataset_create_classes(&x, run.rows.labels.data(), 40, 0, nullptr) == kInvalid);
  CHECK(hs_dataset_create_values(&x, nullptr, 40, &data) == kInvalid);
  CHECK(hs_dataset_create_values(&x, nullptr, 0, &data) == kInvalid);
  CHECK(hs_dataset_read(nullptr, nullptr, &data) == kInvalid);
  CHECK(hs_dataset_read("builtin:spirals", nullptr, nullptr) == kInvalid);
  CHECK(hs_dataset_shape(nullptr, &n, &n, &n) == kInvalid);
  HS_CHECK_OK(hs_dataset_shape(run.data, nullptr, nullptr, nullptr));
  CHECK(data == nullptr);

  hs_trainer* trainer = nullptr;
  CHECK(hs_trainer_create(nullptr, run.data, nullptr, &trainer) == kInvalid);
  CHECK(hs_trainer_create(&run.spec, run.data, nullptr, nullptr) == kInvalid);
  CHECK(hs_trainer_step(nullptr, nullptr) == kInvalid);
  CHECK(hs_trainer_step_batch(nullptr, &batch, nullptr) == kInvalid);
  CHECK(hs_trainer_step_batch(run.trainer, nullptr, nullptr) == kInvalid);
  CHECK(hs_trainer_done(nullptr, &done) == kInvalid);
  CHECK(hs_trainer_done(run.trainer, nullptr) == kInvalid);
  CHECK(hs_trainer_run(nullptr, nullptr, nullptr) == kInvalid);
  CHECK(hs_trainer_request_stop(nullptr) == kInvalid);
  CHECK(hs_trainer_counts(nullptr, &counts) == kInvalid);
  CHECK(hs_trainer_counts(run.trainer, nullptr) == kInvalid);
  CHECK(hs_trainer_evaluate(nullptr, run.data, &metrics) == kInvalid);
  CHECK(hs_trainer_evaluate(run.trainer, nullptr, &metrics) == kInvalid);
  CHECK(hs_trainer_evaluate(run.trainer, run.data, nullptr) == kInvalid);
  CHECK(hs_trainer_predict(nullptr, &x, nullptr, 0, &n) == kInvalid);
  CHECK(hs_trainer_predict(run.trainer, nullptr, nullptr, 0, &n) == kInvalid);
  CHECK(hs_trainer_predict(run.trainer, &x, nullptr, 0, nullptr) == kInvalid);
  CHECK(hs_trainer_parameter_count(run.trainer, nullptr) == kInvalid);
  CHECK(hs_trainer_parameter_name(run.trainer, 0, nullptr, 0, nullptr) == kInvalid);
  CHECK(hs_trainer_parameter_shape(run.trainer, nullptr, nullptr, 0, &n) == kInvalid);
  CHECK(hs_trainer_parameter_get(run.trainer, nullptr, &f, 1, &n) == kInvalid);
  CHECK(hs_trainer_parameter_set(run.trainer, nullptr, &f, 1) == kInvalid);
  CHECK(hs_trainer_parameter_set(run.trainer, "layers.0.bias", nullptr, 8) == kInvalid);
  CHECK(hs_trainer_state_get(run.trainer, nullptr, 0, nullptr) == kInvalid);
  CHECK(hs_trainer_state_set(run.trainer, nullptr, 100) == kInvalid);
  CHECK(hs_trainer_state_set(run.trainer, nullptr, 0) == HS_STATUS_FORMAT);
  CHECK(hs_trainer_save(run.trainer, nullptr) == kInvalid);
  CHECK(std::string(hs_trainer_message(run.trainer)).find("null") != std::string::npos);
  CHECK(std::string(hs_trainer_message(nullptr)).empty());

  hs_model* model = nullptr;
  CHECK(hs_model_load(nullptr, nullptr, &model) == kInvalid);
  CHECK(hs_model_load("x", nullptr, nullptr) == kInvalid);
  CHECK(hs_model_load("/nonexistent/model", nullptr, &model) == HS_STATUS_IO);
  CHECK(hs_model_shape(nullptr, &n, &n, &n) == kInvalid);
  CHECK(hs_model_predict(nullptr, &x, &f, 1, &n) == kInvalid);
  CHECK(model == nullptr);
  hs_predictor* predictor = nullptr;
  HS_CHECK_OK(hs_predictor_destroy(nullptr));
  CHECK(hs_predictor_create(nullptr, 1, 1, &predictor) == kInvalid);
  CHECK(hs_predictor_predict(nullptr, &x, &f, 1, &n) == kInvalid);
  CHECK(std::string(hs_predictor_message(nullptr)).empty());
  CHECK(predictor == nullptr);
}

TEST_CASE("c: destroyed and foreign handles") {
  SmallRun run;
  hs_config* config = nullptr;
  HS_CHECK_OK(hs_config_create(&config));
  HS_CHECK_OK(hs_config_destroy(config));
  CHECK(hs_config_destroy(config) == kInvalid);
  CHECK(hs_config_set(config, "lr", "1") == kInvalid);
  CHECK(last_says("destroyed"));
  CHECK(std::string(hs_config_message(config)).empty());
  hs_trainer* trainer = nullptr;
  CHECK(hs_trainer_create(&run.spec, run.data, config, &trainer) == kInvalid);
  CHECK(hs_trainer_create(&run.spec, reinterpret_cast<hs_dataset*>(run.config), run.config, &trainer) == kInvalid);
  CHECK(hs_trainer_create(&run.spec, run.data, reinterpret_cast<hs_config*>(run.data), &trainer) == kInvalid);
  CHECK(hs_trainer_step(reinterpret_cast<hs_trainer*>(run.data), nullptr) == kInvalid);
  CHECK(hs_trainer_request_stop(reinterpret_cast<hs_trainer*>(run.data)) == kInvalid);
  CHECK(hs_model_destroy(reinterpret_cast<hs_model*>(run.trainer)) == kInvalid);
  alignas(64) char zeros[4096] = {};
  CHECK(hs_trainer_step(reinterpret_cast<hs_trainer*>(zeros), nullptr) == kInvalid);
  CHECK(hs_trainer_destroy(reinterpret_cast<hs_trainer*>(zeros)) == kInvalid);
  CHECK(hs_trainer_destroy(reinterpret_cast<hs_trainer*>(std::uintptr_t{1})) == kInvalid);
  CHECK(trainer == nullptr);
}

TEST_CASE("c: sizes of structs") {
  SmallRun run;
  hs_trainer* trainer = nullptr;
  for (const std::uint32_t size : {0u, 1u, 16u, 25u, 28u, static_cast<std::uint32_t>(sizeof(hs_model_spec)) + 8,
                                   std::numeric_limits<std::uint32_t>::max()}) {
    hs_model_spec spec = run.spec;
    spec.struct_size = size;
    CAPTURE(size);
    CHECK(hs_trainer_create(&spec, run.data, run.config, &trainer) == kInvalid);
    CHECK(last_says("struct_size"));
  }
  // An older one, with nonsense where its caller has something else.
  hs_model_spec older = run.spec;
  older.struct_size = HS_MODEL_SPEC_LEAST;
  std::memset(reinterpret_cast<char*>(&older) + HS_MODEL_SPEC_LEAST, 0x5a, sizeof older - HS_MODEL_SPEC_LEAST);
  HS_CHECK_OK(hs_trainer_create(&older, run.data, run.config, &trainer));
  CHECK(state_of(trainer) == state_of(run.trainer));
  HS_CHECK_OK(hs_trainer_destroy(trainer));

  hs_step_record record = HS_STEP_RECORD_INIT;
  record.struct_size = sizeof record + 8;
  const auto before = state_of(run.trainer);
  CHECK(hs_trainer_step(run.trainer, &record) == kInvalid);
  CHECK(state_of(run.trainer) == before);  // no step whose record cannot be told
  record.struct_size = HS_STEP_RECORD_LEAST;
  record.lr = -7;
  HS_CHECK_OK(hs_trainer_step(run.trainer, &record));
  CHECK(record.step == 1);
  CHECK(record.loss > 0);
  CHECK(record.lr == -7);
  CHECK(record.struct_size == HS_STEP_RECORD_LEAST);

  hs_metrics metrics = HS_METRICS_INIT;
  metrics.struct_size = 8;
  CHECK(hs_trainer_evaluate(run.trainer, run.data, &metrics) == kInvalid);
  hs_step_counts counts = HS_STEP_COUNTS_INIT;
  counts.struct_size = 0;
  CHECK(hs_trainer_counts(run.trainer, &counts) == kInvalid);
  hs_batch batch = run.batch();
  batch.struct_size = 4;
  CHECK(hs_trainer_step_batch(run.trainer, &batch, nullptr) == kInvalid);
  batch.struct_size = HS_BATCH_LEAST;
  HS_CHECK_OK(hs_trainer_step_batch(run.trainer, &batch, nullptr));
}

TEST_CASE("c: specs that are none") {
  SmallRun run;
  hs_trainer* trainer = nullptr;
  const auto refused = [&](auto&& change) {
    hs_model_spec spec = run.spec;
    change(spec);
    return hs_trainer_create(&spec, run.data, run.config, &trainer) == kInvalid && trainer == nullptr;
  };
  CHECK(refused([](hs_model_spec& s) { s.widths = nullptr; }));
  CHECK(refused([](hs_model_spec& s) { s.width_count = 0; }));
  CHECK(refused([](hs_model_spec& s) { s.width_count = std::numeric_limits<std::uint64_t>::max(); }));
  CHECK(refused([](hs_model_spec& s) { s.activation = "relo"; }));
  CHECK(last_says("gelu_tanh"));
  CHECK(refused([](hs_model_spec& s) { s.norm = ""; }));
  CHECK(refused([](hs_model_spec& s) { s.layer = "sparse"; }));
  CHECK(refused([](hs_model_spec& s) { s.precision = "fp64"; }));
  CHECK(refused([](hs_model_spec& s) { s.loss = "mse"; }));
  CHECK(refused([](hs_model_spec& s) { s.residual = 2; }));
  CHECK(refused([](hs_model_spec& s) { s.dropout = 1; }));
  CHECK(refused([](hs_model_spec& s) { s.dropout = std::numeric_limits<double>::quiet_NaN(); }));
  CHECK(refused([](hs_model_spec& s) { s.class_weight_count = 2; }));
  CHECK(refused([](hs_model_spec& s) { s.class_weight_count = std::numeric_limits<std::uint64_t>::max() / 8; }));
  CHECK(refused([](hs_model_spec& s) { s.layer_precision_count = std::uint64_t{1} << 61; }));
  const std::uint64_t huge[] = {3, std::uint64_t{1} << 40, 2};
  CHECK(refused([&](hs_model_spec& s) { s.widths = huge; }));
  const char* const two[] = {"fp32", nullptr};  // null: as `precision`
  hs_model_spec spec = run.spec;
  spec.layer_precision = two;
  spec.layer_precision_count = 2;
  HS_CHECK_OK(hs_trainer_create(&spec, run.data, run.config, &trainer));
  HS_CHECK_OK(hs_trainer_destroy(trainer));
}

TEST_CASE("c: matrices that cannot lie where they say") {
  SmallRun run;
  std::vector<float> outputs(SmallData::kRows * 2);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const auto status = [&](auto&& change) {
    hs_matrix x = run.rows.matrix();
    change(x);
    std::uint64_t needed = 0;
    hs_dataset* data = nullptr;
    const hs_status made = hs_dataset_create_classes(&x, run.rows.labels.data(), run.rows.labels.size(), 0, &data);
    HS_CHECK_OK(hs_dataset_destroy(data));
    CHECK(hs_trainer_predict(run.trainer, &x, outputs.data(), outputs.size(), &needed) == made);
    return made;
  };
  HS_CHECK_OK(status([](hs_matrix&) {}));
  HS_CHECK_OK(status([](hs_matrix& x) { x.row_stride_bytes = 12; }));
  CHECK(status([](hs_matrix& x) { x.data = nullptr; }) == kInvalid);
  CHECK(status([](hs_matrix& x) { x.data = static_cast<const char*>(x.data) + 1; }) == kInvalid);
  CHECK(last_says("aligned"));
  CHECK(status([](hs_matrix& x) { x.row_stride_bytes = -12; }) == kInvalid);
  CHECK(last_says("negative"));
  CHECK(status([](hs_matrix& x) { x.row_stride_bytes = 8; }) == kInvalid);
  CHECK(status([](hs_matrix& x) { x.row_stride_bytes = 14; }) == kInvalid);
  CHECK(status([](hs_matrix& x) { x.row_stride_bytes = std::numeric_limits<std::int64_t>::max() - 3; }) == kInvalid);
  CHECK(status([](hs_matrix& x) { x.row_stride_bytes = std::numeric_limits<std::int64_t>::min(); }) == kInvalid);
  CHECK(status([](hs_matrix& x) { x.rows = 0; }) == kInvalid);
  CHECK(status([](hs_matrix& x) { x.cols = 0; }) == kInvalid);
  CHECK(status([](hs_matrix& x) { x.rows = kMost; }) == kInvalid);
  CHECK(status([](hs_matrix& x) { x.rows = kMost / 12 + 2; }) == kInvalid);
  CHECK(status([](hs_matrix& x) { x.cols = kMost; }) == kInvalid);
  CHECK(status([](hs_matrix& x) { x.cols = kMost / 4 + 2; }) == kInvalid);
  CHECK(status([](hs_matrix& x) { x.rows = x.cols = std::uint64_t{1} << 32; }) == kInvalid);
  CHECK(status([](hs_matrix& x) { x.dtype = 7; }) == kInvalid);
  CHECK(status([](hs_matrix& x) { x.reserved = 1; }) == kInvalid);
  const std::vector<double> large(SmallData::kRows * SmallData::kCols, 1e300);
  CHECK(status([&](hs_matrix& x) {
          x.data = large.data();
          x.dtype = HS_DTYPE_FP64;
        }) == kInvalid);
  CHECK(last_says("fp32"));
}

TEST_CASE("c: other data that does not fit") {
  SmallRun run;
  hs_dataset* data = nullptr;
  hs_matrix x = run.rows.matrix();
  auto labels = run.rows.labels;
  const auto* unaligned = reinterpret_cast<const std::int32_t*>(reinterpret_cast<const char*>(labels.data()) + 2);
  CHECK(hs_dataset_create_classes(&x, unaligned, 39, 0, &data) == kInvalid);
  CHECK(hs_dataset_create_classes(&x, labels.data(), 39, 0, &data) == kInvalid);
  CHECK(hs_dataset_create_classes(&x, labels.data(), std::uint64_t{1} << 62, 0, &data) == kInvalid);
  CHECK(hs_dataset_create_classes(&x, labels.data(), 40, 1, &data) == kInvalid);
  CHECK(hs_dataset_create_classes(&x, labels.data(), 40, std::uint64_t{1} << 60, &data) == kInvalid);
  labels[3] = -1;
  CHECK(hs_dataset_create_classes(&x, labels.data(), 40, 0, &data) == kInvalid);
  hs_batch batch = run.batch();
  batch.label_count = 39;
  CHECK(hs_trainer_step_batch(run.trainer, &batch, nullptr) == kInvalid);
  batch = run.batch();
  batch.labels = labels.data();
  CHECK(hs_trainer_step_batch(run.trainer, &batch, nullptr) == kInvalid);
  batch = run.batch();
  batch.reserved = 1;
  CHECK(hs_trainer_step_batch(run.trainer, &batch, nullptr) == kInvalid);
  // Whole rows of six numbers are whole rows of three too, but not what was said.
  batch = run.batch();
  batch.x.cols = 6;
  batch.x.rows = 20;
  CHECK(hs_trainer_step_batch(run.trainer, &batch, nullptr) == kInvalid);
  CHECK(hs_trainer_parameter_set(run.trainer, "layers.0.bias", run.rows.x.data(), 7) == kInvalid);
  CHECK(hs_trainer_parameter_set(run.trainer, "layers.9.bias", run.rows.x.data(), 8) == kInvalid);
  CHECK(hs_config_set(run.config, "lr", "nan") == kInvalid);
  CHECK(hs_config_set(run.config, "batch", "0") == kInvalid);
  CHECK(hs_config_set(run.config, "epochs", "-1") == kInvalid);
  CHECK(hs_config_set(run.config, "lrr", "1") == kInvalid);
  CHECK(std::string(hs_config_message(run.config)).find("lr") != std::string::npos);
  const std::string path(5000, 'x');  // a message has no room for it
  CHECK(hs_trainer_save(run.trainer, path.c_str()) == HS_STATUS_IO);
  CHECK(std::string(hs_last_message()).size() < 1024);
  CHECK(data == nullptr);
}

TEST_CASE("c: two calls for results of unknown length") {
  SmallRun run;
  std::uint64_t needed = 0;
  char buffer[64] = "before";
  HS_CHECK_OK(hs_config_get(run.config, "batch", nullptr, 0, &needed));
  CHECK(needed == 3);
  needed = 0;
  CHECK(hs_config_get(run.config, "batch", buffer, 2, &needed) == kInvalid);
  CHECK(needed == 3);
  CHECK(std::string(buffer) == "before");
  HS_CHECK_OK(hs_config_get(run.config, "batch", buffer, 3, nullptr));
  CHECK(std::string(buffer) == "16");
  HS_CHECK_OK(hs_dataset_class_name(run.data, 1, buffer, sizeof buffer, nullptr));
  CHECK(std::string(buffer) == "1");
  CHECK(hs_dataset_class_name(run.data, 2, buffer, sizeof buffer, nullptr) == kInvalid);

  const hs_matrix x = run.rows.matrix();
  float outputs[81];
  HS_CHECK_OK(hs_trainer_predict(run.trainer, &x, nullptr, 0, &needed));
  CHECK(needed == 80);
  CHECK(hs_trainer_predict(run.trainer, &x, outputs, 79, &needed) == kInvalid);
  auto* unaligned = reinterpret_cast<float*>(reinterpret_cast<char*>(outputs) + 1);
  CHECK(hs_trainer_predict(run.trainer, &x, unaligned, 80, &needed) == kInvalid);
  CHECK(hs_trainer_predict(run.trainer, &x, outputs, std::uint64_t{1} << 62, &needed) == kInvalid);
  HS_CHECK_OK(hs_trainer_predict(run.trainer, &x, outputs, 80, &needed));

  std::uint64_t shape[2] = {};
  HS_CHECK_OK(hs_trainer_parameter_shape(run.trainer, "layers.0.weight", shape, 2, &needed));
  CHECK(needed == 2);
  CHECK(shape[0] == 8);
  CHECK(shape[1] == 3);
  HS_CHECK_OK(hs_trainer_parameter_name(run.trainer, 0, buffer, sizeof buffer, nullptr));
  CHECK(std::string(buffer).find("layers.0.") == 0);
  HS_CHECK_OK(hs_trainer_parameter_count(run.trainer, &needed));
  CHECK(hs_trainer_parameter_name(run.trainer, needed, buffer, sizeof buffer, nullptr) == kInvalid);
}

TEST_CASE("c: states that are none change nothing") {
  SmallRun run;
  HS_CHECK_OK(hs_trainer_step(run.trainer, nullptr));
  const auto state = state_of(run.trainer);
  auto altered = state;
  altered[altered.size() / 2] ^= 1;
  CHECK(hs_trainer_state_set(run.trainer, altered.data(), altered.size()) == HS_STATUS_FORMAT);
  CHECK(hs_trainer_state_set(run.trainer, state.data(), state.size() - 1) == HS_STATUS_FORMAT);
  CHECK(state_of(run.trainer) == state);
  CHECK(std::string(hs_trainer_message(run.trainer)).size() > 0);
  HS_CHECK_OK(hs_trainer_state_set(run.trainer, state.data(), state.size()));
}

}  // namespace halfstep::test
