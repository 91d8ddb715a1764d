// Calls of halfstep.h in any order, with handles of any kind and state and arguments of any size.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "fuzz/support.hpp"
#include "halfstep/halfstep.h"
#include "halfstep/text.hpp"

using namespace halfstep;

namespace {

// Memory that matrices, labels and results lie in.
constexpr std::size_t kNumbers = 256;

struct Host {
  explicit Host(fuzz::Draw& bytes) : draw(bytes) {}

  fuzz::Draw& draw;
  std::vector<void*> handles;  // of all kinds; destroyed ones too
  std::vector<hs_config*> configs;
  std::vector<hs_dataset*> sets;
  std::vector<hs_trainer*> trainers;
  std::vector<hs_model*> models;
  std::vector<hs_predictor*> predictors;
  alignas(8) float numbers[kNumbers] = {};
  alignas(8) double wide[kNumbers] = {};
  std::int32_t labels[kNumbers] = {};
  alignas(8) char results[4 * kNumbers] = {};
  std::uint64_t needed = 0;
  std::string model_path = fuzz::scratch() / "c_api.safetensors";

  // Mostly a live one.
  template <class H>
  H* handle(const std::vector<H*>& live) {
    const std::size_t choice = draw.below(16);
    if (choice == 15) return nullptr;
    if (choice == 14 && !handles.empty()) return static_cast<H*>(handles[draw.below(handles.size())]);
    if (choice == 13) return reinterpret_cast<H*>(results);
    return live.empty() ? nullptr : live[choice % live.size()];
  }

  // Mostly small; never so large and yet valid that arrays here would not do.
  std::uint64_t size(std::uint64_t usual) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    switch (draw.below(12)) {
      case 9:
        return 0;
      case 10:
        return kMost >> draw.below(4);
      case 11:
        return usual + 1;
      default:
        return usual;
    }
  }

  // Rows that lie in the memory above, or cannot lie anywhere.
  hs_matrix matrix() {
    const std::uint64_t rows = 1 + draw.below(8), cols = 1 + draw.below(4);
    hs_matrix m = {numbers, rows, cols, 0, HS_DTYPE_FP32, 0};
    if (draw.below(2) == 1) {
      m.data = wide;
      m.dtype = HS_DTYPE_FP64;
    }
    switch (draw.below(10)) {
      case 2:
        m.row_stride_bytes = 64;
        break;
      case 3:
        m.row_stride_bytes = -8;
        break;
      case 4:
        m.row_stride_bytes = std::numeric_limits<std::int64_t>::max() - 7;
        break;
      case 5:
        m.row_stride_bytes = 1;
        break;
      case 6:
        m.data = nullptr;
        break;
      case 7:
        m.data = static_cast<const char*>(m.data) + 1;
        break;
      case 8:
        m.rows = std::numeric_limits<std::uint64_t>::max() >> draw.below(3);
        break;
      case 9:
        m.dtype = static_cast<hs_dtype>(draw.below(4));
        break;
      default:
        break;
    }
    return m;
  }

  const char* text() {
    return draw.of({"lr",
                    "1e-3",
                    "batch",
                    "4",
                    "steps",
                    "3",
                    "threads",
                    "1",
                    "optimizer",
                    "sgd",
                    "loss-scale",
                    "dynamic",
                    "warmup",
                    "2",
                    "seed",
                    "",
                    "layers.0.weight",
                    "layers.1.bias",
                    "layers.9.bias",
                    "-1",
                    "nan"});
  }
};

void check(hs_status status) {
  fuzz::require(status >= HS_STATUS_OK && status < HS_STATUS_INTERNAL, "a status that blames nobody here",
                hs_last_message());
  if (status == HS_STATUS_OK) return;
  const std::string message = hs_last_message();
  fuzz::require(!message.empty() && message == printable(message), "a message is one line that can be printed",
                message);
}

template <class H>
void keep(Host& host, hs_status status, H* made, std::vector<H*>& live) {
  check(status);
  fuzz::require((status == HS_STATUS_OK) == (made != nullptr), "a handle is made where that is said");
  if (made == nullptr) return;
  live.push_back(made);
  host.handles.push_back(made);
}

template <class H>
void end(Host& host, std::vector<H*>& live, hs_status (*destroy)(H*)) {
  H* const handle = host.handle(live);
  const bool is_live = std::find(live.begin(), live.end(), handle) != live.end();
  const hs_status status = destroy(handle);
  check(status);
  fuzz::require((status == HS_STATUS_OK) == (is_live || handle == nullptr),
                "what lives can be destroyed, and no other");
  std::erase(live, handle);
}

std::int32_t progress(const hs_step_record* record, void* user_data) {
  Host& host = *static_cast<Host*>(user_data);
  fuzz::require(record->step > 0 && record->struct_size == sizeof *record, "a record is of a step");
  for (hs_trainer* trainer : host.trainers) {
    if (host.draw.below(4) == 3) check(hs_trainer_step(trainer, nullptr));
  }
  switch (host.draw.below(6)) {
    case 4:
      throw 1;
    case 5:
      return 1;
    default:
      return 0;
  }
}

void make_trainer(Host& host) {
  fuzz::Draw& draw = host.draw;
  std::uint64_t widths[4] = {};
  for (std::uint64_t& width : widths) width = 1 + draw.below(4);
  hs_model_spec spec = HS_MODEL_SPEC_INIT;
  spec.widths = draw.below(16) == 15 ? nullptr : widths;
  spec.width_count = host.size(2 + draw.below(2));
  spec.activation = draw.of({nullptr, "gelu", "tanh", "none", ""});
  spec.norm = draw.of({nullptr, "layer", "rms", "batch", "x"});
  spec.precision = draw.of({nullptr, "fp16", "fp32", "bf16", "fp8"});
  spec.loss = draw.of({nullptr, "mse", "binary_cross_entropy", "huber", "cross_entropy"});
  spec.dropout = static_cast<double>(draw.below(5)) / 4;
  if (draw.below(8) == 7) spec.struct_size = static_cast<std::uint32_t>(draw.below(256));
  hs_dataset* const data = draw.below(3) == 2 ? nullptr : host.handle(host.sets);
  hs_config* const config = draw.below(3) == 2 ? nullptr : host.handle(host.configs);
  hs_trainer* made = nullptr;
  keep(host, hs_trainer_create(&spec, data, config, &made), made, host.trainers);
}

void make_set(Host& host) {
  const hs_matrix x = host.matrix();
  hs_dataset* made = nullptr;
  if (host.draw.below(2) == 0) {
    keep(host, hs_dataset_create_classes(&x, host.labels, host.size(x.rows), host.draw.below(4), &made), made,
         host.sets);
  } else {
    keep(host, hs_dataset_create_values(&x, host.numbers, host.size(x.rows), &made), made, host.sets);
  }
}

void step(Host& host) {
  hs_step_record record = HS_STEP_RECORD_INIT;
  if (host.draw.below(8) == 7) record.struct_size = static_cast<std::uint32_t>(host.draw.below(128));
  hs_trainer* const trainer = host.handle(host.trainers);
  if (host.draw.below(2) == 0) return check(hs_trainer_step(trainer, &record));
  hs_batch batch = HS_BATCH_INIT;
  batch.x = host.matrix();
  batch.labels = host.labels;
  batch.label_count = host.size(batch.x.rows);
  batch.values = host.numbers;
  batch.value_count = host.size(batch.x.rows);
  check(hs_trainer_step_batch(trainer, &batch, &record));
}

void read_trainer(Host& host) {
  hs_trainer* const t = host.handle(host.trainers);
  auto* const floats = reinterpret_cast<float*>(host.results);
  hs_step_counts counts = HS_STEP_COUNTS_INIT;
  hs_metrics metrics = HS_METRICS_INIT;
  std::int32_t done = 0;
  switch (host.draw.below(8)) {
    case 0:
      return check(hs_trainer_done(t, &done));
    case 1:
      return check(hs_trainer_counts(t, &counts));
    case 2:
      return check(hs_trainer_evaluate(t, host.handle(host.sets), &metrics));
    case 3:
      return check(hs_trainer_parameter_count(t, &host.needed));
    case 4:
      return check(hs_trainer_parameter_name(t, host.draw.below(8), host.results, host.draw.below(32), &host.needed));
    case 5:
      return check(hs_trainer_parameter_shape(t, host.text(), reinterpret_cast<std::uint64_t*>(host.results),
                                              host.draw.below(4), &host.needed));
    case 6:
      return check(hs_trainer_parameter_get(t, host.text(), floats, host.draw.below(32), &host.needed));
    default:
      return check(hs_trainer_parameter_set(t, host.text(), host.numbers, host.draw.below(32)));
  }
}

void predict(Host& host) {
  const hs_matrix x = host.matrix();
  auto* const out = host.draw.below(4) == 3 ? nullptr : reinterpret_cast<float*>(host.results + host.draw.below(8));
  const std::uint64_t capacity = host.draw.below(64);
  switch (host.draw.below(3)) {
    case 0:
      return check(hs_trainer_predict(host.handle(host.trainers), &x, out, capacity, &host.needed));
    case 1:
      return check(hs_model_predict(host.handle(host.models), &x, out, capacity, &host.needed));
    default:
      return check(hs_predictor_predict(host.handle(host.predictors), &x, out, capacity, &host.needed));
  }
}

// There and back, whole or damaged.
void take_state(Host& host) {
  hs_trainer* const from = host.handle(host.trainers);
  const hs_status status = hs_trainer_state_get(from, nullptr, 0, &host.needed);
  check(status);
  if (status != HS_STATUS_OK) return;
  std::vector<unsigned char> bytes(host.needed);
  check(hs_trainer_state_get(from, bytes.data(), bytes.size(), nullptr));
  if (host.draw.below(2) == 1) bytes[host.draw.below(bytes.size())] ^= 1;
  check(hs_trainer_state_set(host.handle(host.trainers), bytes.data(), bytes.size() - host.draw.below(2)));
}

void save_and_load(Host& host) {
  check(hs_trainer_save(host.handle(host.trainers), host.model_path.c_str()));
  hs_model* made = nullptr;
  keep(host,
       hs_model_load(host.model_path.c_str(), host.draw.below(2) == 0 ? nullptr : host.handle(host.configs), &made),
       made, host.models);
}

void make_predictor(Host& host) {
  hs_model* const model = host.handle(host.models);
  const std::uint64_t max_rows = host.size(4);
  const auto threads = static_cast<std::int32_t>((host.draw.below(4) + 1) % 4) - 1;
  hs_predictor* made = nullptr;
  keep(host, hs_predictor_create(model, max_rows, threads, &made), made, host.predictors);
}

void run(Host& host) {
  hs_trainer* const trainer = host.handle(host.trainers);
  if (host.draw.below(4) == 3) {
    // Reads what it is given: only what lives.
    for (hs_trainer* live : host.trainers) check(hs_trainer_request_stop(live));
  }
  const hs_status status = hs_trainer_run(trainer, progress, &host);
  if (status != HS_STATUS_INTERNAL) return check(status);
  fuzz::require(std::strstr(hs_last_message(), "callback") != nullptr, "only a callback is internal",
                hs_last_message());
}

void publish(Host& host) {
  hs_model* made = nullptr;
  if (host.draw.below(2) == 0) return check(hs_trainer_publish(host.handle(host.trainers)));
  keep(host, hs_trainer_published(host.handle(host.trainers), &made), made, host.models);
}

void hear(std::int32_t level, const char* line, void*) {
  fuzz::require(level == HS_LOG_INFO || level == HS_LOG_NOTE, "a level is one of those that there are");
  fuzz::require(line == printable(line), "a line of the log can be printed", line);
}

void ask_config(Host& host) {
  switch (host.draw.below(3)) {
    case 0:
      return check(hs_config_set_log(host.handle(host.configs), host.draw.below(2) == 0 ? hear : nullptr, nullptr));
    case 1:
      return check(hs_parameters_json(host.results, host.draw.below(16), &host.needed));
    default:
      return check(
          hs_config_get(host.handle(host.configs), host.text(), host.results, host.draw.below(16), &host.needed));
  }
}

void call(Host& host) {
  switch (host.draw.below(17)) {
    case 0: {
      hs_config* made = nullptr;
      keep(host, hs_config_create(&made), made, host.configs);
      if (made != nullptr) check(hs_config_set(made, "steps", "3"));
      if (made != nullptr) check(hs_config_set(made, "threads", "1"));
      return;
    }
    case 1:
      return check(hs_config_set(host.handle(host.configs), host.text(), host.text()));
    case 2:
      return ask_config(host);
    case 16:
      return publish(host);
    case 3:
      return make_set(host);
    case 4:
      return make_trainer(host);
    case 5:
      return step(host);
    case 6:
      return read_trainer(host);
    case 7:
      return predict(host);
    case 8:
      return take_state(host);
    case 9:
      return save_and_load(host);
    case 10:
      return run(host);
    case 11:
      return end(host, host.trainers, hs_trainer_destroy);
    case 12:
      return end(host, host.sets, hs_dataset_destroy);
    case 13:
      return end(host, host.models, hs_model_destroy);
    case 14:
      return make_predictor(host);
    default:
      return end(host, host.predictors, hs_predictor_destroy);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::Draw draw(bytes, size);
  Host host(draw);
  for (std::size_t i = 0; i < kNumbers; ++i) {
    host.numbers[i] = static_cast<float>(i * 7 % 13) / 6 - 1;
    host.wide[i] = static_cast<double>(i * 5 % 11) / 5 - 1;
    host.labels[i] = static_cast<std::int32_t>(i % 2);
  }
  for (int calls = 0; calls < 60 && !draw.rest().empty(); ++calls) {
    if (host.handles.size() < 12 || draw.below(4) == 0) call(host);
  }
  for (hs_predictor* predictor : host.predictors) check(hs_predictor_destroy(predictor));
  for (hs_model* model : host.models) check(hs_model_destroy(model));
  for (hs_trainer* trainer : host.trainers) check(hs_trainer_destroy(trainer));
  for (hs_dataset* data : host.sets) check(hs_dataset_destroy(data));
  for (hs_config* config : host.configs) check(hs_config_destroy(config));
  return 0;
}
