// A small run through halfstep.h, for tests of it.
#pragma once
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "halfstep/halfstep.h"

namespace halfstep::test {

#define HS_CHECK_OK(...) CHECK_MESSAGE((__VA_ARGS__) == HS_STATUS_OK, hs_last_message())

// Points of two classes.
struct SmallData {
  static constexpr std::size_t kRows = 40, kCols = 3;
  std::vector<float> x;
  std::vector<std::int32_t> labels;

  SmallData() {
    for (std::size_t i = 0; i < kRows; ++i) {
      for (std::size_t j = 0; j < kCols; ++j) x.push_back(static_cast<float>((i * 7 + j * 5) % 13) / 6 - 1);
      labels.push_back(x[i * kCols] > x[i * kCols + 1] ? 1 : 0);
    }
  }
  hs_matrix matrix() const { return {x.data(), kRows, kCols, 0, HS_DTYPE_FP32, 0}; }
};

inline const std::uint64_t kSmallWidths[] = {3, 8, 2};

inline hs_model_spec small_spec() {
  hs_model_spec spec = HS_MODEL_SPEC_INIT;
  spec.widths = kSmallWidths;
  spec.width_count = 3;
  return spec;
}

// Handles of all kinds but a model. A member that could not be made is null.
struct SmallRun {
  SmallData rows;
  hs_model_spec spec = small_spec();
  hs_config* config = nullptr;
  hs_dataset* data = nullptr;
  hs_trainer* trainer = nullptr;

  explicit SmallRun(const char* steps = "4") {
    const hs_matrix x = rows.matrix();
    HS_CHECK_OK(hs_config_create(&config));
    HS_CHECK_OK(hs_config_set(config, "threads", "1"));
    HS_CHECK_OK(hs_config_set(config, "batch", "16"));
    HS_CHECK_OK(hs_config_set(config, "steps", steps));
    HS_CHECK_OK(hs_dataset_create_classes(&x, rows.labels.data(), rows.labels.size(), 0, &data));
    HS_CHECK_OK(hs_trainer_create(&spec, data, config, &trainer));
  }
  SmallRun(const SmallRun&) = delete;
  ~SmallRun() {
    HS_CHECK_OK(hs_trainer_destroy(trainer));
    HS_CHECK_OK(hs_dataset_destroy(data));
    HS_CHECK_OK(hs_config_destroy(config));
  }
  hs_batch batch() const {
    hs_batch batch = HS_BATCH_INIT;
    batch.x = rows.matrix();
    batch.labels = rows.labels.data();
    batch.label_count = rows.labels.size();
    return batch;
  }
};

inline std::vector<unsigned char> state_of(hs_trainer* trainer) {
  std::uint64_t needed = 0;
  HS_CHECK_OK(hs_trainer_state_get(trainer, nullptr, 0, &needed));
  std::vector<unsigned char> bytes(needed);
  HS_CHECK_OK(hs_trainer_state_get(trainer, bytes.data(), bytes.size(), nullptr));
  return bytes;
}

}  // namespace halfstep::test
