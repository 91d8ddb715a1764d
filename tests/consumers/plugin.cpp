// A plug-in that a host loads at run time: it trains and predicts, and leaves nothing behind. See plugin_host.cpp.
#include <halfstep/halfstep.h>

#include <vector>

namespace {

bool train_and_predict(const char* threads, double* accuracy) {
  std::vector<float> x, outputs(2);
  std::vector<int32_t> labels;
  for (int i = 0; i < 256; ++i) {  // points of two halves
    for (int j = 0; j < 32; ++j) x.push_back(static_cast<float>((i * 7 + j * 13) % 29) / 14 - 1);
    labels.push_back(x[x.size() - 32] > 0 ? 1 : 0);
  }
  const uint64_t widths[] = {32, 128, 2};
  hs_model_spec spec = HS_MODEL_SPEC_INIT;
  spec.widths = widths;
  spec.width_count = 3;
  hs_matrix rows = {x.data(), 256, 32, 0, HS_DTYPE_FP32, 0};
  hs_metrics metrics = HS_METRICS_INIT;
  hs_config* config = nullptr;
  hs_dataset* data = nullptr;
  hs_trainer* trainer = nullptr;
  hs_model* model = nullptr;
  hs_predictor* predictor = nullptr;
  bool ok = hs_config_create(&config) == HS_STATUS_OK && hs_config_set(config, "threads", threads) == HS_STATUS_OK &&
            hs_config_set(config, "steps", "40") == HS_STATUS_OK &&
            hs_dataset_create_classes(&rows, labels.data(), labels.size(), 0, &data) == HS_STATUS_OK &&
            hs_trainer_create(&spec, data, config, &trainer) == HS_STATUS_OK &&
            hs_trainer_run(trainer, nullptr, nullptr) == HS_STATUS_OK &&
            hs_trainer_evaluate(trainer, data, &metrics) == HS_STATUS_OK &&
            hs_trainer_snapshot(trainer, &model) == HS_STATUS_OK &&
            hs_predictor_create(model, 1, 1, &predictor) == HS_STATUS_OK;
  rows.rows = 1;
  ok = ok && hs_predictor_predict(predictor, &rows, outputs.data(), outputs.size(), nullptr) == HS_STATUS_OK;
  ok = hs_predictor_destroy(predictor) == HS_STATUS_OK && ok;
  ok = hs_model_destroy(model) == HS_STATUS_OK && ok;
  ok = hs_trainer_destroy(trainer) == HS_STATUS_OK && ok;
  ok = hs_dataset_destroy(data) == HS_STATUS_OK && ok;
  ok = hs_config_destroy(config) == HS_STATUS_OK && ok;
  *accuracy = metrics.accuracy;
  return ok;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int plugin_run(const char* threads, double* accuracy) {
  return train_and_predict(threads, accuracy) ? 0 : 1;
}
