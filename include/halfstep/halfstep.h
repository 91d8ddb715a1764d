/*
 * halfstep for C: training and use of MLPs on CPUs, in mixed precision. The interface to bind other languages to, and
 * the one whose binary form stays: libhalfstep.so.1 exports what stands here and nothing else. C89 and later, C++.
 *
 *   hs_model_spec spec = HS_MODEL_SPEC_INIT;
 *   spec.widths = widths;
 *   spec.width_count = 3;
 *   if (hs_trainer_create(&spec, data, config, &trainer) != HS_STATUS_OK) puts(hs_last_message());
 *
 * Errors. Every function that can fail returns an hs_status and then leaves what `out` and buffers point to as it was,
 * unless its comment says otherwise. Each may return INVALID_ARGUMENT (a pointer that is null, unaligned or no live
 * handle of that kind; a struct_size that is not known; sizes that overflow), STATE (see Threads), OUT_OF_MEMORY and
 * INTERNAL (a bug in halfstep); comments name what else there is. Nothing here prints, exits, installs signal
 * handlers or changes locale or floating-point environment, its flags included; none of these changes what is
 * calculated. No C++ exception leaves a function.
 *
 * Handles. A function with _create, _read or _load in its name and an `out` makes a handle, which is the caller's until
 * *_destroy. Destroying NULL is fine. That a handle is destroyed or foreign is noticed, unless a new one has its
 * address.
 *
 * Threads. One thread at a time may use a handle: a second one, or a callback that uses its own trainer, gets STATE.
 * But data sets and models never change, and any number of threads may use them; so it is with a config that others
 * only read. Different handles are independent. In a process forked from one that has handles every call returns STATE;
 * exec() is fine.
 *
 * Text is UTF-8 that ends in NUL. Arrays are dense and row-major unless a stride is given; they are read or written
 * during the call only.
 *
 * Results of unknown length take `buffer`, its `capacity` in elements, and `needed`: with a NULL buffer the call only
 * writes the length to *needed; one that is too small is INVALID_ARGUMENT, *needed is then written too, the buffer
 * is not. `needed` may be NULL where there is a buffer. The length of a text counts its NUL.
 */
#ifndef HALFSTEP_HALFSTEP_H
#define HALFSTEP_HALFSTEP_H

#include <stdint.h>

/* Marks what the library exports. */
#if defined(__GNUC__)
#define HS_API __attribute__((visibility("default")))
#else
#define HS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Grows by one whenever functions, or fields at the end of a struct, are added. Nothing is taken away or changed. */
#define HS_ABI_VERSION 1

/* Stops the compiler where this header is older than what a program was written for: HS_REQUIRE_ABI(1); */
#define HS_REQUIRE_ABI(version) typedef char hs_require_abi_##version[(HS_ABI_VERSION >= (version)) ? 1 : -1]

/* That of the library in use, which may be newer than this header: a program needs hs_abi_version() >= HS_ABI_VERSION.
   Never fails. */
HS_API uint32_t hs_abi_version(void);
/* "0.1.0". Lives as long as the library. Never fails. */
HS_API const char* hs_version_string(void);

/* ---- Status ---- */

/* What became of a call: HS_STATUS_... */
typedef int32_t hs_status;
enum {
  HS_STATUS_OK = 0,
  HS_STATUS_INVALID_ARGUMENT = 1, /* a parameter or a combination of parameters */
  HS_STATUS_IO = 2,               /* the operating system refused to read or write */
  HS_STATUS_FORMAT = 3,           /* bytes that are not what they should be: data, model files, states */
  HS_STATUS_UNSUPPORTED = 4,      /* an ISA, version or feature that is not here */
  HS_STATUS_OUT_OF_MEMORY = 5,
  HS_STATUS_LIMIT = 6,     /* a size beyond what is accepted */
  HS_STATUS_CANCELLED = 7, /* the caller asked to stop */
  HS_STATUS_DIVERGED = 8,  /* training cannot go on */
  HS_STATUS_STATE = 9,     /* called at the wrong time */
  HS_STATUS_INTERNAL = 10  /* a bug in halfstep */
};

/* "OUT_OF_MEMORY"; "UNKNOWN" for a number that is none. Lives as long as the library. Any thread. */
HS_API const char* hs_status_name(hs_status status);

/* What failed last in this thread and why, on one line of at most 1023 bytes; "" where nothing did. A success leaves
   it. Valid until the thread's next call that fails. Never NULL, needs no memory. */
HS_API const char* hs_last_message(void);

/* ---- Data in the caller's memory ---- */

/* How numbers lie in memory: HS_DTYPE_... */
typedef int32_t hs_dtype;
enum { HS_DTYPE_FP32 = 0, HS_DTYPE_FP64 = 1 };

/* Rows of numbers, of the machine's byte order. fp64 is rounded to fp32, in which all is calculated; a finite number
   beyond it is INVALID_ARGUMENT. This struct never grows. */
typedef struct hs_matrix {
  const void* data; /* aligned to its numbers */
  uint64_t rows;
  uint64_t cols;
  int64_t row_stride_bytes; /* from a row to the next: 0 for cols numbers, else that much or more, of whole numbers */
  hs_dtype dtype;
  int32_t reserved; /* 0 */
} hs_matrix;

/* ---- Structs that may grow ----
 * The first member is the size the caller knows: sizeof of the struct. Fields are added at the end only. A size from
 * HS_..._LEAST to that of the library, in eights, is accepted; fields beyond it count as zero and are not written. */

/* What a model is. Zeros and NULLs in all but widths mean the defaults, which are given here. */
typedef struct hs_model_spec {
  uint32_t struct_size;
  int32_t residual;            /* 1: each hidden layer as wide as its input adds that to its output; 0 */
  const uint64_t* widths;      /* inputs, hidden layers, outputs: each from 1 to 2^20 */
  uint64_t width_count;        /* 2 to 1024 */
  const char* layer;           /* kind of the hidden layers: "dense" */
  const char* activation;      /* of the hidden layers: "relu" */
  const char* norm;            /* of the hidden layers: "none" */
  const char* precision;       /* "bf16", "fp16" or "fp32" */
  const char* loss;            /* "cross_entropy" */
  double dropout;              /* share of each hidden layer's outputs, >= 0 and < 1 */
  double huber_delta;          /* huber: where it turns linear, > 0; 0 means 1 */
  double label_smoothing;      /* cross_entropy: >= 0 and < 1 */
  const double* class_weights; /* cross_entropy: of each output, > 0; NULL: all 1 */
  uint64_t class_weight_count;
  const char* const* layer_precision; /* of each layer, width_count - 1 of them; NULL: `precision` for all */
  uint64_t layer_precision_count;
} hs_model_spec;
/* Everything at its default; widths and width_count are to be set. */
#define HS_MODEL_SPEC_INIT \
  { sizeof(hs_model_spec), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
#define HS_MODEL_SPEC_LEAST 24u /* up to width_count */

/* Rows for one step: labels for the two cross-entropies, values for the other losses. */
typedef struct hs_batch {
  uint32_t struct_size;
  int32_t reserved;      /* 0 */
  hs_matrix x;           /* rows x inputs */
  const int32_t* labels; /* of each row, from 0 */
  uint64_t label_count;
  const float* values; /* rows x outputs */
  uint64_t value_count;
} hs_batch;
/* No rows. */
#define HS_BATCH_INIT \
  { sizeof(hs_batch), 0, {0, 0, 0, 0, 0, 0}, 0, 0, 0, 0 }
#define HS_BATCH_LEAST 64u /* up to label_count */

enum { HS_OUTCOME_APPLIED = 0, HS_OUTCOME_RETRIED = 1, HS_OUTCOME_SKIPPED = 2 };
/* Where the first value that is not finite was made. */
enum {
  HS_CAUSE_NONE = 0,
  HS_CAUSE_DATA = 1,
  HS_CAUSE_WEIGHTS = 2,
  HS_CAUSE_FORWARD = 3,
  HS_CAUSE_LOSS = 4,
  HS_CAUSE_SCALE = 5,    /* a scaled gradient by an activation, beyond the storage type */
  HS_CAUSE_GRADIENT = 6, /* a scaled weight gradient, beyond fp32 */
  HS_CAUSE_UNSCALE = 7   /* a gradient divided by a loss scale below 1 */
};

/* What became of a step. */
typedef struct hs_step_record {
  uint32_t struct_size;
  int32_t outcome; /* HS_OUTCOME_... */
  int32_t cause;   /* HS_CAUSE_..., of a skipped or retried step */
  int32_t reruns;  /* of the backward pass */
  int64_t step;    /* attempted, from 1 */
  int64_t applied; /* so far */
  double loss;
  double lr;
  double loss_scale; /* the one the outcome rests on */
  double grad_norm;
} hs_step_record;
/* To be written into, as are the other structs of results. */
#define HS_STEP_RECORD_INIT \
  { sizeof(hs_step_record), 0, 0, 0, 0, 0, 0, 0, 0, 0 }
#define HS_STEP_RECORD_LEAST 40u /* up to loss */

/* What became of the steps of a trainer, counted. */
typedef struct hs_step_counts {
  uint32_t struct_size;
  int32_t reserved; /* 0 */
  int64_t attempted;
  int64_t applied; /* retried ones included */
  int64_t retried;
  int64_t skipped;
} hs_step_counts;
/* To be written into. */
#define HS_STEP_COUNTS_INIT \
  { sizeof(hs_step_counts), 0, 0, 0, 0, 0 }
#define HS_STEP_COUNTS_LEAST 40u /* all of it */

/* What a call that makes several steps did. */
typedef struct hs_steps_made {
  uint32_t struct_size;
  int32_t stopped;    /* 1 where hs_trainer_request_stop ended it, else 0 */
  int64_t steps;      /* attempted */
  int64_t elapsed_ns; /* of the call */
  int64_t overrun_ns; /* beyond its budget */
} hs_steps_made;
/* To be written into. */
#define HS_STEPS_MADE_INIT \
  { sizeof(hs_steps_made), 0, 0, 0, 0 }
#define HS_STEPS_MADE_LEAST 32u /* all of it */

/* Quality on a set: accuracy of classes; rmse and r2 of values, in their units; of several outputs means over them. */
typedef struct hs_metrics {
  uint32_t struct_size;
  int32_t classification; /* 1 or 0 */
  int64_t rows;
  int64_t non_finite; /* of them, without a finite output: never right, and loss, rmse, r2 are NaN */
  double loss;
  double accuracy;
  double rmse;
  double r2; /* NaN where all targets are the same */
} hs_metrics;
/* To be written into. */
#define HS_METRICS_INIT \
  { sizeof(hs_metrics), 0, 0, 0, 0, 0, 0, 0 }
#define HS_METRICS_LEAST 40u /* up to accuracy */

/* ---- Parameters by name ---- */

/* A handle: values of parameters. */
typedef struct hs_config hs_config;

/* All parameters at their defaults. */
HS_API hs_status hs_config_create(hs_config** out);
/* Trainers and models that were made with it keep what they need. */
HS_API hs_status hs_config_destroy(hs_config* config);
/* The name is one of `halfstep params` ("lr", "batch", "clip-norm"), the value as on the command line ("1e-3"). A
   refusal changes nothing and says what was meant or what the range is. */
HS_API hs_status hs_config_set(hs_config* config, const char* name, const char* value);
/* The value as text that hs_config_set takes. */
HS_API hs_status hs_config_get(const hs_config* config, const char* name, char* buffer, uint64_t capacity,
                               uint64_t* needed);
/* Lines of "name = value" from a file; a refusal changes nothing. Also IO, FORMAT. */
HS_API hs_status hs_config_read_file(hs_config* config, const char* path);
/* What failed last with this handle; "" where nothing did, or where it is no handle. Valid until its next call. */
HS_API const char* hs_config_message(const hs_config* config);
/* All parameters there are, as a JSON array of objects with name, type, default, range and help: as `halfstep params
   --json` lists them. */
HS_API hs_status hs_parameters_json(char* buffer, uint64_t capacity, uint64_t* needed);

enum {
  HS_LOG_INFO = 0, /* what was chosen: ISA and threads, with the reasons */
  HS_LOG_NOTE = 1  /* what was decided about data that its owner could regret */
};
/* `line` has no end of line and is valid during the call. As hs_progress: it may call functions of other handles; must
   not leave by longjmp or end its thread. */
typedef void (*hs_log)(int32_t level, const char* line, void* user_data);
/* From now on hs_dataset_read and hs_trainer_create with this config tell what they did, in the calling thread and in
   its floating-point environment, before they return OK. A callback that throws a C++ exception makes them return
   INTERNAL and give no handle. NULL: nothing is told, as at first. */
HS_API hs_status hs_config_set_log(hs_config* config, hs_log callback, void* user_data);

/* ---- Data sets: rows that never change ---- */

/* A handle: rows with their labels or values. */
typedef struct hs_dataset hs_dataset;

/* Copies x, as the model is to see it: nothing is scaled. labels: one per row, from 0 and below `classes`; `classes` 0
   means as many as the largest label asks for. */
HS_API hs_status hs_dataset_create_classes(const hs_matrix* x, const int32_t* labels, uint64_t label_count,
                                           uint64_t classes, hs_dataset** out);
/* values: one per row, or for a model with several outputs so many per row, row by row: `value_count` is rows x outputs.
 */
HS_API hs_status hs_dataset_create_values(const hs_matrix* x, const float* values, uint64_t value_count,
                                          hs_dataset** out);
/* A file (CSV, LIBSVM, NPY, NPZ, IDX), or "builtin:NAME", read and preprocessed as `halfstep train` does, by what
   `config` says of the data; NULL: the defaults. Also IO, FORMAT, UNSUPPORTED, LIMIT. */
HS_API hs_status hs_dataset_read(const char* path, const hs_config* config, hs_dataset** out);
/* Trainers that were made with it keep what they need. */
HS_API hs_status hs_dataset_destroy(hs_dataset* data);
/* Rows, numbers of a row as the model sees it, and classes (0 for values). Each pointer may be NULL. */
HS_API hs_status hs_dataset_shape(const hs_dataset* data, uint64_t* rows, uint64_t* features, uint64_t* classes);
/* "0", "1", ... of rows from memory. `index` below `classes`. */
HS_API hs_status hs_dataset_class_name(const hs_dataset* data, uint64_t index, char* buffer, uint64_t capacity,
                                       uint64_t* needed);

/* ---- Training ---- */

/* A handle: a network that learns. */
typedef struct hs_trainer hs_trainer;
/* A handle: weights that never change. */
typedef struct hs_model hs_model;

/* Owns a network, its optimizer and its threads. `data` NULL: steps are made on batches of the caller's. `config` NULL:
   the defaults; what the spec says too is the spec's. Both may be destroyed or changed after. Also UNSUPPORTED (an
   ISA). */
HS_API hs_status hs_trainer_create(const hs_model_spec* spec, const hs_dataset* data, const hs_config* config,
                                   hs_trainer** out);
/* STATE from a callback of this trainer, which then lives on. */
HS_API hs_status hs_trainer_destroy(hs_trainer* trainer);
/* What failed last with this handle, unless it was STATE for being in use; "" where nothing did, or where it is no
   handle. Valid until its next call. */
HS_API const char* hs_trainer_message(const hs_trainer* trainer);

/* One step on the next rows of the set: each epoch has an order of its own. Gradients that are not finite change no
   weight, and the record says why: that is data, and OK. `record` may be NULL. STATE without a set. After OUT_OF_MEMORY
   the step may be made in part: set a state or destroy the trainer. */
HS_API hs_status hs_trainer_step(hs_trainer* trainer, hs_step_record* record);
/* The same on any number of rows of the caller's. */
HS_API hs_status hs_trainer_step_batch(hs_trainer* trainer, const hs_batch* batch, hs_step_record* record);
/* *done is 1 when the planned steps are made, else 0; more can follow. */
HS_API hs_status hs_trainer_done(hs_trainer* trainer, int32_t* done);

/* Called after each step, in the thread that called hs_trainer_run and in the floating-point environment it had then.
   The record is valid during the call. Returns 0 to go on, anything else to stop. It may call functions of other
   handles and hs_trainer_request_stop; must not leave by longjmp or end its thread. */
typedef int32_t (*hs_progress)(const hs_step_record* record, void* user_data);
/* Steps until done. CANCELLED where the callback (which may be NULL) or hs_trainer_request_stop stopped it, between two
   steps: it can go on later. INTERNAL where the callback threw a C++ exception. STATE without a set. */
HS_API hs_status hs_trainer_run(hs_trainer* trainer, hs_progress callback, void* user_data);
/* As many steps on the set as so many nanoseconds have room for by the time that earlier ones took; also past the end
   of an epoch or of the plan. Where a step takes longer than the budget, one is made each time that the budgets since
   the last have added up to it. `made` may be NULL. STATE without a set. */
HS_API hs_status hs_trainer_train_for(hs_trainer* trainer, int64_t budget_ns, hs_steps_made* made);
/* The weights as they are now, as a model of its own, which other threads may use while training goes on. */
HS_API hs_status hs_trainer_snapshot(hs_trainer* trainer, hs_model** out);
/* Makes a snapshot what hs_trainer_published gives from now on. */
HS_API hs_status hs_trainer_publish(hs_trainer* trainer);
/* The last that was published, as a model of the caller's: from any thread while the trainer lives, also while another
   trains. STATE before the first. */
HS_API hs_status hs_trainer_published(const hs_trainer* trainer, hs_model** out);
/* The run (or train_for) that goes on, or else the next one, ends before its next step. May be called from any thread
   and from signal handlers while the trainer lives. Returns OK or INVALID_ARGUMENT and leaves no message. */
HS_API hs_status hs_trainer_request_stop(hs_trainer* trainer);

/* Of all steps so far, those before a state that was taken over included. */
HS_API hs_status hs_trainer_counts(hs_trainer* trainer, hs_step_counts* counts);
/* Quality on a set that fits the model. */
HS_API hs_status hs_trainer_evaluate(hs_trainer* trainer, const hs_dataset* data, hs_metrics* metrics);
/* Outputs for x (rows x inputs): rows x outputs, probabilities of classes or values. A row whose outputs are not finite
   has NaN. A binary cross-entropy with one output gives the probability of class 1. The buffer may overlap x. */
HS_API hs_status hs_trainer_predict(hs_trainer* trainer, const hs_matrix* x, float* buffer, uint64_t capacity,
                                    uint64_t* needed);

/* Parameters of the model, and statistics that it follows, in the order of model files. */
HS_API hs_status hs_trainer_parameter_count(hs_trainer* trainer, uint64_t* count);
/* "layers.0.weight"; `index` below the count. */
HS_API hs_status hs_trainer_parameter_name(hs_trainer* trainer, uint64_t index, char* buffer, uint64_t capacity,
                                           uint64_t* needed);
/* [outputs, inputs] or [outputs]. */
HS_API hs_status hs_trainer_parameter_shape(hs_trainer* trainer, const char* name, uint64_t* buffer, uint64_t capacity,
                                            uint64_t* needed);
/* Its fp32 values. */
HS_API hs_status hs_trainer_parameter_get(hs_trainer* trainer, const char* name, float* buffer, uint64_t capacity,
                                          uint64_t* needed);
/* Replaces them: as many as its shape says, fp32, row-major. */
HS_API hs_status hs_trainer_parameter_set(hs_trainer* trainer, const char* name, const float* values, uint64_t count);

/* All that further steps depend on, as bytes: weights, moments, loss scale, counters, place in the epoch. */
HS_API hs_status hs_trainer_state_get(hs_trainer* trainer, void* buffer, uint64_t capacity, uint64_t* needed);
/* Into a trainer of the same spec, config and data; steps that follow have the bits they would have had. FORMAT where
   the bytes are no such state; nothing is changed then. */
HS_API hs_status hs_trainer_state_set(hs_trainer* trainer, const void* bytes, uint64_t count);
/* A model file as `halfstep train` writes, durable and at once. IO; an old file is then untouched. */
HS_API hs_status hs_trainer_save(hs_trainer* trainer, const char* path);

/* ---- Trained models: weights that never change. Several threads may use one. ---- */

/* Of `config` (NULL: the defaults) count isa and math. Also IO, FORMAT, UNSUPPORTED, LIMIT. */
HS_API hs_status hs_model_load(const char* path, const hs_config* config, hs_model** out);
/* Predictors that were made with it keep what they need. */
HS_API hs_status hs_model_destroy(hs_model* model);
/* Numbers of a row, outputs, and classes (0 for values). Each pointer may be NULL. */
HS_API hs_status hs_model_shape(const hs_model* model, uint64_t* inputs, uint64_t* outputs, uint64_t* classes);
/* `index` below `classes`. */
HS_API hs_status hs_model_class_name(const hs_model* model, uint64_t index, char* buffer, uint64_t capacity,
                                     uint64_t* needed);
/* As hs_trainer_predict, with rows as the network sees them: nothing is preprocessed. Values are in the units of the
   target. */
HS_API hs_status hs_model_predict(const hs_model* model, const hs_matrix* x, float* buffer, uint64_t capacity,
                                  uint64_t* needed);

/* ---- Predictions again and again: buffers and threads are made once ---- */

/* A handle: a model with the buffers and threads to use it. */
typedef struct hs_predictor hs_predictor;

/* max_rows: those that pass through the network at once, 1 for latency, 512 for many. threads: 1 for the caller's
   alone, 0 for as many as the process may use. */
HS_API hs_status hs_predictor_create(const hs_model* model, uint64_t max_rows, int32_t threads, hs_predictor** out);
/* Its model lives on. */
HS_API hs_status hs_predictor_destroy(hs_predictor* predictor);
/* As hs_trainer_message. */
HS_API const char* hs_predictor_message(const hs_predictor* predictor);
/* As hs_model_predict, on any number of rows and with the same bits; x and the buffer may not overlap. Of dense fp32 it
   takes no memory. */
HS_API hs_status hs_predictor_predict(hs_predictor* predictor, const hs_matrix* x, float* buffer, uint64_t capacity,
                                      uint64_t* needed);

#ifdef __cplusplus
}
#endif

#endif
