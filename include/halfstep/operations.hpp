// The operations that training is made of, one by one, for programs that have networks of their own: matrix products
// with what follows them, activations, normalisation, softmax, conversions. Gradients are checked and weights updated
// by halfstep/gradients.hpp.
//
//   Operations ops({.threads = 2});
//   const PackedMatrix w = ops.pack(Dtype::bf16, {.data = weights, .rows = outputs, .columns = inputs});
//   ops.multiply({.data = x, .rows = batch, .columns = inputs}, w,
//                {.data = y, .rows = batch, .columns = outputs, .dtype = Dtype::bf16},
//                {.bias = b, .activation = Activation::relu});
//
// Sums are fp32, in plain order of k: the same bits at any number of threads, for any rows beside, and with
// Math::portable on every ISA. Subnormal numbers of fp32 count as zero, those of fp16 do not. The caller's
// floating-point environment stays as it is.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "halfstep/types.hpp"

namespace halfstep {

// A matrix of the caller's, row-major: element (r, c) is data[r * stride + c]. `data` is aligned to its element.
struct Matrix {
  const void* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  Dtype dtype = Dtype::fp32;
  std::size_t stride = 0;  // elements from one row to the next; 0: columns
};

// The same to be written to. Nothing beside its elements is touched.
struct MutableMatrix {
  void* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  Dtype dtype = Dtype::fp32;
  std::size_t stride = 0;
};

// Whether an operand is taken with its rows as columns.
enum class Transpose : std::uint8_t { no, yes };

// What becomes of a finished product: activation(product + bias) + add, rounded once to the type of the result.
struct Epilogue {
  const float* bias = nullptr;  // [columns of the result]; null: none
  Activation activation = Activation::identity;
  Matrix add = {};  // of the result's shape, and may be the result itself (then it accumulates); no data: none
};

// The right operand of products in the order in which they read it. Never changes: any number of threads and Operations
// may use one.
class PackedMatrix {
 public:
  PackedMatrix(PackedMatrix&&) noexcept;
  PackedMatrix& operator=(PackedMatrix&&) noexcept;
  ~PackedMatrix();

  std::size_t outputs() const;  // rows of the weights
  std::size_t inputs() const;   // columns of the weights
  Dtype dtype() const;          // as packed

 private:
  friend class Operations;
  struct Impl;
  explicit PackedMatrix(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Where and how operations run.
struct OperationsOptions {
  int threads = 1;               // 1: the caller's alone; 0: as many as the process may use
  std::string isa = "auto";      // as `--isa`
  Math math = Math::portable;    // of products
  bool threads_of_host = false;  // as in Options
};

// Threads, an ISA, and memory that is kept from one call to the next. One thread at a time may call it; several are
// independent. Every call throws Error(invalid_argument) for null or unaligned pointers, shapes that do not fit or
// overflow, and Error(state) in a child that was forked, before it writes; Error(out_of_memory) where a call needs
// more memory than those before.
class Operations {
 public:
  // Throws Error(invalid_argument, unsupported, out_of_memory).
  explicit Operations(const OperationsOptions& options = {});
  Operations(Operations&&) noexcept;
  Operations& operator=(Operations&&) noexcept;
  ~Operations();

  const char* isa() const;  // in use
  int threads() const;      // in use

  // `weights` [outputs x inputs], rounded to `dtype`, in which products with it are made. At least 1 x 1.
  PackedMatrix pack(Dtype dtype, const Matrix& weights);

  // y = activation(x W^T + bias) + add: x [rows x inputs], y [rows x outputs]. x is rounded to the type of `w`. A
  // matrix is used where it is, without a copy, if it has that type (y and add: any), an even number of rows, a
  // multiple of 16 columns, and rows that begin at multiples of 16 bytes. No rows: nothing is done. y overlaps x
  // nowhere, and `add` in the same elements or nowhere.
  void multiply(const Matrix& x, const PackedMatrix& w, const MutableMatrix& y, const Epilogue& epilogue = {});

  // c = activation(op(a) op(b) + bias) + add: op(a) [m x k], op(b) [k x n], c [m x n], k at least 1. Both are rounded
  // to `dtype`. Packs b, which is worth keeping (see pack) where it is used more than once. Overlaps are as in
  // multiply.
  void gemm(Dtype dtype, const Matrix& a, Transpose transpose_a, const Matrix& b, Transpose transpose_b,
            const MutableMatrix& c, const Epilogue& epilogue = {});

  // y = x in another type, to nearest even; too large becomes infinity. Shapes are alike. No overlaps.
  void convert(const Matrix& x, const MutableMatrix& y);

  // y = activation(x), of one shape and type; y may be x. How exact each is, in units of the last place, is listed in
  // tests/README.md.
  void activate(Activation activation, const Matrix& x, const MutableMatrix& y);
  // d_x = activation'(x) d_y, of one shape and type; d_x may be d_y. `saved` is x where derivative_needs_input says so,
  // otherwise the output y.
  void differentiate(Activation activation, const Matrix& saved, const Matrix& d_y, const MutableMatrix& d_x);
  // Whether the derivative is calculated from the input; else from the output.
  static bool derivative_needs_input(Activation activation);

  // y = (x - mean) / sqrt(variance + epsilon) * gain + bias of each row (Norm::layer: Ba, Kiros and Hinton, 2016), or
  // x / sqrt(mean of squares + epsilon) * gain (Norm::rms: Zhang and Sennrich, 2019). gain and bias have `columns`
  // elements; null is 1 and 0; Norm::rms has no bias. Types may differ; y may be x where they do not. A row with an inf
  // or a NaN becomes NaN.
  void normalise(Norm norm, const Matrix& x, const float* gain, const float* bias, float epsilon,
                 const MutableMatrix& y);

  // Probabilities of each row of fp32 logits; y may be x.
  void softmax(const Matrix& x, const MutableMatrix& y);
  // The sum over the rows of the cross-entropy of softmax(logits) and labels (of each row, from 0), in nats; where
  // d_logits has data, it gets the gradient of that sum times `scale`. All fp32; d_logits may be logits.
  double cross_entropy(const Matrix& logits, std::span<const std::int32_t> labels, float scale,
                       const MutableMatrix& d_logits);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace halfstep
