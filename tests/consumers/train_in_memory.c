/* Trains on numbers in memory, saves, loads and predicts: what train_in_memory.cpp does, in C89. */
#include <halfstep/halfstep.h>
#include <stdio.h>
#include <stdlib.h>

HS_REQUIRE_ABI(1);

#define ROWS 400

static float g_x[ROWS][2];
static int32_t g_labels[ROWS];
static int g_failures = 0;

/* Prints what failed. */
static int ok(hs_status status, const char* call) {
  if (status == HS_STATUS_OK) return 1;
  fprintf(stderr, "%s: %s: %s\n", call, hs_status_name(status), hs_last_message());
  ++g_failures;
  return 0;
}
#define OK(call) ok(call, #call)

static int32_t count(const hs_step_record* record, void* user_data) {
  *(long*)user_data += record->outcome == HS_OUTCOME_APPLIED ? 1 : 0;
  return 0;
}

static void make_rows(void) {
  int i;
  for (i = 0; i < ROWS; ++i) { /* points within and outside of a circle */
    const float a = (float)(i * 7 % 41) / 20 - 1, b = (float)(i * 11 % 37) / 18 - 1;
    g_x[i][0] = a;
    g_x[i][1] = b;
    g_labels[i] = a * a + b * b < 0.6f ? 1 : 0;
  }
}

static void train(const char* path) {
  const uint64_t widths[] = {2, 32, 2};
  hs_model_spec spec = HS_MODEL_SPEC_INIT;
  hs_metrics metrics = HS_METRICS_INIT;
  hs_matrix x = {NULL, ROWS, 2, 0, HS_DTYPE_FP32, 0};
  hs_config* config = NULL;
  hs_dataset* data = NULL;
  hs_trainer* trainer = NULL;
  long applied = 0;
  x.data = g_x;
  spec.widths = widths;
  spec.width_count = 3;
  if (OK(hs_config_create(&config)) && OK(hs_config_set(config, "epochs", "100")) &&
      OK(hs_config_set(config, "lr", "0.01")) && OK(hs_dataset_create_classes(&x, g_labels, ROWS, 0, &data)) &&
      OK(hs_trainer_create(&spec, data, config, &trainer)) && OK(hs_trainer_run(trainer, count, &applied)) &&
      OK(hs_trainer_evaluate(trainer, data, &metrics)) && OK(hs_trainer_save(trainer, path))) {
    printf("accuracy %.3f after %ld steps\n", metrics.accuracy, applied);
    if (!(metrics.accuracy > 0.9)) ++g_failures;
  }
  OK(hs_trainer_destroy(trainer));
  OK(hs_dataset_destroy(data));
  OK(hs_config_destroy(config));
}

static void predict(const char* path) {
  const double middle[] = {0.1, 0.1};
  hs_matrix x = {NULL, 1, 2, 0, HS_DTYPE_FP64, 0};
  hs_model* model = NULL;
  float* outputs = NULL;
  uint64_t needed = 0;
  x.data = middle;
  if (OK(hs_model_load(path, NULL, &model)) && OK(hs_model_predict(model, &x, NULL, 0, &needed))) {
    outputs = malloc((size_t)needed * sizeof *outputs);
    if (outputs == NULL || needed != 2) {
      ++g_failures;
    } else if (OK(hs_model_predict(model, &x, outputs, needed, NULL))) {
      printf("probability of the middle: %.3f\n", outputs[1]);
      if (!(outputs[1] > 0.9f)) ++g_failures;
    }
  }
  free(outputs);
  OK(hs_model_destroy(model));
}

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "in_memory.safetensors";
  if (hs_abi_version() < HS_ABI_VERSION) return EXIT_FAILURE;
  make_rows();
  train(path);
  predict(path);
  return g_failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
