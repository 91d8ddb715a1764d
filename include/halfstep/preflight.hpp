// What each precision would do to a run, found by training a few steps of it.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/meters.hpp"
#include "halfstep/options.hpp"
#include "halfstep/types.hpp"

namespace halfstep {

// What a storage type would do to the values of a tensor, as shares of those that are finite and not zero.
struct StorageLoss {
  double flushed = 0;    // become zero
  double subnormal = 0;  // keep fewer bits
  double saturated = 0;  // become infinite
  int headroom = 0;      // powers of two by which the largest could grow and still fit; negative: it does not
};

// A tensor of a few steps in fp32, without a loss scale.
struct PreflightTensor {
  std::string tensor;      // "input", "layers.0.weight", "layers.0.output", "layers.0.d", "gradient of layers.0.weight"
  std::int64_t layer = 0;  // in whose precision it lies: an output in that of the layer that reads it
  bool gradient = false;   // grows with the loss scale
  bool stored = true;      // in 16 bits; else it stays fp32 (logits, weight gradients), and fp16 and bf16 tell what if
  double largest = 0;      // magnitude
  TensorMeter wide;        // as measured; its storage is fp32
  StorageLoss fp16;        // of a gradient: at Preflight::loss_scale
  StorageLoss unscaled;    // of a gradient: in fp16 without a loss scale
  StorageLoss bf16;
};

// A column of inputs that does not fit fp16, or that fp16 makes zero.
struct PreflightColumn {
  std::int64_t column = 0;  // of the network's inputs
  std::string name;         // empty: the data has none
  double value = 0;         // the largest in magnitude, as the network gets it
  std::string place;        // "line 17"
  double standardized = 0;  // what --standardize auto makes of it; NaN: not known, or it did
  bool overflows = false;   // else it vanishes: all of it becomes zero
};

// A constant of the run, and what would become of it in storage types. halfstep keeps all of them in fp32.
struct PreflightConstant {
  std::string name;  // "epsilon"
  double value = 0;
  double fp16 = 0, bf16 = 0;
};

// A precision, tried on the run's own first steps.
struct PreflightTrial {
  std::string flags;  // "--precision fp16 --scale-init 4096"
  Dtype precision = Dtype::fp32;
  bool native = false;       // the ISA multiplies what is stored; else it is converted to fp32 first
  std::int64_t steps = 0;    // in turns with the other precisions
  std::int64_t skipped = 0;  // of them
  double step_ns = 0;        // of the fastest step
  double speedup = 0;        // fp32 is 1
  double loss = 0;           // mean of these steps; all precisions have the same rows
};

// What a few steps say of a run.
struct Preflight {
  std::string model;                     // "4-128-64-3 relu"
  std::string machine;                   // ISA and threads, with the reasons
  std::int64_t steps = 0;                // that were measured, in fp32
  bool finite = true;                    // all of them in fp32; else no precision can help, and none is recommended
  std::vector<PreflightTensor> tensors;  // inputs, weights, then layer by layer
  std::vector<PreflightColumn> columns;
  std::int64_t rows_read = 0;                // of the training rows, for `columns`
  std::vector<PreflightConstant> constants;  // those that would vanish somewhere
  double loss_scale = 1;                     // the first to use in fp16
  std::vector<LayerPrecision> lift;          // layers that fp16 is too narrow for; all of them: it suits none
  std::vector<PreflightTrial> trials;        // fp32, bf16, fp16
  std::vector<std::string> findings;         // sentences; each says what to do
  std::vector<std::string> notes;            // of the data, as in RunPlan

  std::string flags;                                         // recommended; empty: nothing is
  std::string why;                                           // in a sentence
  std::vector<std::pair<std::string, std::string>> changes;  // parameters and values that make the options follow it
};

// Trains a few steps of the run that `options` describe, in fp32 with meters and then in each precision, and writes
// nothing. Takes a few seconds beside reading the data. The speeds, and with them what is recommended, are those of
// this machine. Throws Error as train() does, and Error(invalid_argument) for a run that goes on with a checkpoint.
Preflight preflight(const std::string& data, const Options& options);

}  // namespace halfstep
