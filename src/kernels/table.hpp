// What an ISA offers: typed function pointers and tile sizes. One table per compiled ISA; everything above the kernels
// is written against this file alone.
//
// Shapes and layouts, the same on every ISA (elements of the storage type unless said otherwise):
//   panel      16 columns side by side. A matrix [k][n] in panels is [n/16][k][16]; with bf16 two neighbouring k lie
//              together, [n/16][k/2][16][2], because that is what a dot-product instruction wants. In both cases row k
//              of a panel starts a pair of rows at element 16*k (k even).
//   strip      16 rows of the master weights, cut into column blocks of at most 64: [out/16][in/64][16][<=64] fp32.
//   rows       plain row-major with a leading dimension.
// Widths are padded with zeros to 16, rows to 2, so that no kernel has a remainder to treat apart.
#pragma once
#include <cstddef>
#include <cstdint>

#include "halfstep/types.hpp"
#include "kernels/gemm_family.hpp"

namespace halfstep::internal {

inline constexpr std::size_t kDtypes = 3;  // indexed by Dtype

// Where an epilogue puts values: row-major and in panels, already offset to the tile's first row (even) and column.
struct StorageTarget {
  void* rows;
  std::size_t ld;            // elements
  void* panels;              // may be null
  std::size_t panel_stride;  // elements from one panel to the next
  Dtype dtype;               // says to callers which kernel writes here
};

// y = activation(tile + bias) + skip, rounded once to the storage type.
struct ForwardEpilogue {
  float* tile;          // [rows][kBlockColumns]; used up
  std::size_t rows;     // even
  std::size_t columns;  // valid ones; the last panel is stored with zeros behind them
  const float* bias;
  Activation activation;
  StorageTarget y;
  void* z;  // row-major, what the derivative needs and y does not tell; may be null: pre-activation, or with `skip`
            // and a derivative that follows from the output, y without it
  std::size_t z_ld;
  const void* skip;  // the layer's input where it skips the layer, row-major; may be null
  std::size_t skip_ld;
  Dtype skip_dtype;
  float* logits;  // logits_epilogue writes fp32 tile + bias here, row-major, and nothing else
  std::size_t logits_ld;
};

// d_y = tile, or tile + d_y where the gradient of the layer above skips it too; d = d_y * factor * activation'(saved),
// its column sums before rounding added to `sums` in row order, d rounded to storage.
struct BackwardEpilogue {
  float* tile;  // used up
  std::size_t rows;
  std::size_t columns;
  Activation activation;
  const void* saved;  // y where the derivative follows from the output, ForwardEpilogue::z otherwise; row-major
  std::size_t saved_ld;
  Dtype saved_dtype;
  float* sums;  // [columns], accumulated
  StorageTarget d;
  float* d_y;  // fp32, row-major; may be null
  std::size_t d_y_ld;
  bool add_d_y, keep_d_y;  // it is read, written
  float factor = 1;        // by which dropout has multiplied what it kept
};

// One multiplier does unscale and clip; `limit` clips by value in the scaled domain (infinity: off).
struct AdamParameters {
  float multiplier, limit;
  float beta1, beta2, one_minus_beta1, one_minus_beta2;
  float step_size;            // lr / (1 - beta1^t)
  float inv_sqrt_correction;  // 1 / sqrt(1 - beta2^t)
  float epsilon;
  float decay;  // AdamW: 1 - lr * weight_decay; Adam: 1
  float l2;     // Adam: weight_decay added to the gradient; AdamW: 0
};
struct SgdParameters {
  float multiplier, limit, lr, momentum, l2;
  bool nesterov;
};

struct LionParameters {
  float multiplier, limit, lr;
  float one_minus_beta1, one_minus_beta2;
  float weight_decay;  // decoupled
};

// What one read of a range of gradients tells.
struct GradientScan {
  double squares;         // sum over the elements after clipping by value, in fp64
  std::uint32_t largest;  // bits of the largest magnitude before clipping: ordered as the magnitudes are, NaN above inf
};

// Where the random numbers of a range come from: 16 bits for each element, a function of seed, stream and the element's
// index alone. Element e takes half (e / 16) % 2 (0: low) of word e % 128 / 32 of Philox block e / 128 * 16 + e % 16.
struct RandomPlace {
  std::uint64_t seed, stream;
  std::uint64_t first;  // index of the range's first element, a multiple of kRandomGroup
};
inline constexpr std::size_t kRandomGroup = 128;

// What normalising a row keeps for the way back: xhat = (x - mean - mean_low) * rstd. `mean_low` is the low part of the
// mean, which fp32 has no room for; RMSNorm has neither. All NaN, or rstd alone, where the row has an inf or a NaN.
struct RowStatistics {
  float mean, mean_low, rstd;
};

// The same for each column of a batch, and the biased variance: vectors padded to 16.
struct ColumnStatistics {
  float *mean, *mean_low, *rstd, *variance;
};

struct KernelTable {
  const char* name;

  // A thread calls `enter` before the first tile of a run and `leave` after its last (gemm/product.hpp), for units that
  // must be set up by each thread, such as AMX's tile registers. Null where nothing is to be done, as everywhere today.
  void (*enter)();
  void (*leave)();

  GemmFamily gemm[kDtypes];
  void (*forward_epilogue[kDtypes])(const ForwardEpilogue&);
  void (*logits_epilogue)(const ForwardEpilogue&);
  void (*backward_epilogue[kDtypes])(const BackwardEpilogue&);

  // fp32 <-> storage, n elements, any n. Index fp32 copies.
  void (*from_fp32[kDtypes])(std::size_t n, const float* src, void* dst);
  void (*to_fp32[kDtypes])(std::size_t n, const void* src, float* dst);
  // byte * scale + shift, each rounded, n bytes, any n.
  void (*bytes_to_fp32)(std::size_t n, const std::uint8_t* src, float scale, float shift, float* dst);
  // Left operands of tiles as fp32, pairs of bf16 odd k first: k values of each row, k a multiple of 16; a panel to
  // [k][16], k even.
  void (*widen_rows[kDtypes])(std::size_t rows, std::size_t k, const void* src, std::size_t src_ld, float* dst,
                              std::size_t dst_ld);
  void (*widen_panel[kDtypes])(std::size_t k, const void* src, float* dst);
  // Two rows of fp32 (columns a multiple of 16) to the storage type in both layouts.
  void (*store_rows[kDtypes])(std::size_t columns, const float* row0, const float* row1, const StorageTarget&);
  // The same of two rows that are made so: those of x times those of `scale`, element by element.
  void (*store_scaled[kDtypes])(std::size_t columns, const float* x0, const float* scale0, const float* x1,
                                const float* scale1, const StorageTarget&);
  // The way back from `members` rows x * scale[m], which begin `columns` (a multiple of 16) apart in `scale` and `ld`
  // apart in d: x * d[m] is added to sums[m], and x becomes the sum of scale[m] * d[m] in the order of m.
  void (*scaled_backward)(std::size_t columns, std::size_t members, const float* scale, const float* d, std::size_t ld,
                          float* x, float* sums);
  // One 16-row block [16][columns] of a master strip to both packed forms. forward: panels over out, row k = in;
  // backward (may be null): panels over in, row k = out.
  void (*pack_strip[kDtypes])(std::size_t columns, const float* master, void* forward, void* backward,
                              std::size_t backward_stride);
  // The same block back out of its forward form.
  void (*unpack_strip[kDtypes])(std::size_t columns, const void* forward, float* block);

  // Of each of `rows` rows of any number of columns, padded as below: whatever their length, four chains of 16 lanes in
  // fp32 over at most 1024 columns, sums of sums in fp64. column_sums below is its counterpart.
  void (*row_sums[kDtypes])(std::size_t rows, std::size_t columns, const void* x, std::size_t ld, double* sums);

  // One read of n elements, any n, aligned to the element: sum of squares after clamping to [-limit, limit], largest
  // magnitude before. Whatever the length, the sum has one shape: two chains of 16 fp64 lanes.
  GradientScan (*scan[kDtypes])(std::size_t n, const void* x, float limit);

  // fp32 in place to values that the storage type can hold, n a multiple of 16. round_stochastic: up or down with a
  // chance that makes the mean right; inf and NaN stay. split: to nearest even, and what that lost (0 where the result
  // is not finite) as bf16 in `low`.
  void (*round_stochastic[kDtypes])(std::size_t n, float* x, const RandomPlace&);
  void (*split[kDtypes])(std::size_t n, float* x, void* low);

  // fp32 elementwise, n a multiple of 16.
  double (*sum_squares)(std::size_t n, const float* x);
  void (*add)(std::size_t n, const float* x, float* sum);
  void (*add_stored[kDtypes])(std::size_t n, const void* x, float* sum);
  void (*clamp)(std::size_t n, float limit, float* x);  // to [-limit, limit], NaN stays
  void (*adam)(std::size_t n, const float* grad, float* master, float* m, float* v, const AdamParameters&);
  void (*sgd)(std::size_t n, const float* grad, float* master, float* momentum, const SgdParameters&);
  void (*lion)(std::size_t n, const float* grad, float* master, float* m, const LionParameters&);

  // Elementwise activations, n any; differentiate takes what BackwardEpilogue::saved holds. By the storage type to
  // which results are going to be rounded: for 16 bits in fewer instructions, as exact as that rounding shows. The
  // _stored ones have all arrays in storage, and round themselves.
  void (*activate[kDtypes])(Activation, std::size_t n, const float* x, float* y);
  void (*differentiate[kDtypes])(Activation, std::size_t n, const float* saved, const float* d_y, float* d_x);
  void (*activate_stored[kDtypes])(Activation, std::size_t n, const void* x, void* y);
  void (*differentiate_stored[kDtypes])(Activation, std::size_t n, const void* saved, const void* d_y, void* d_x);

  // Normalisation: rows of any number of columns, x in storage, all else fp32. What is written is zero beyond the row,
  // up to the next multiple of 16.

  // Statistics of two rows. Their values less the mean go to `centred` as fp32, unless that is null.
  void (*row_statistics[kDtypes])(Norm, std::size_t columns, const void* x, std::size_t ld, float epsilon,
                                  float* centred, std::size_t centred_ld, RowStatistics* statistics);
  // y = xhat * gamma + beta of one row, or of a part that starts at a multiple of 16. Norm::rms has no mean and no
  // beta: null.
  void (*normalise[kDtypes])(std::size_t columns, const void* x, const RowStatistics&, const float* gamma,
                             const float* beta, float* y);
  // activation(y) of two whole rows, from `centred`, to storage; the activation is the identity or ReLU. Like
  // row_statistics with `centred`, it prefetches the two rows behind these.
  void (*normalise_rows[kDtypes])(Activation, std::size_t columns, const float* centred, std::size_t ld,
                                  const RowStatistics*, const float* gamma, const float* beta, const StorageTarget& y);
  // d of one row in place, from the gradient by y to that by x. Adds d * xhat to gamma_sums and d to beta_sums.
  void (*normalise_backward[kDtypes])(Norm, std::size_t columns, const void* x, const RowStatistics&,
                                      const float* gamma, float* d, float* gamma_sums, float* beta_sums);

  // BatchNorm: as above, with the statistics of columns. batch_statistics, running_statistics and update_running write
  // no padding.

  // Adds x - centre and its square over `rows` rows, in order. A caller cuts a batch into chunks and joins their sums
  // with `add`: once with the first row as the centre, then with mean + mean_low.
  void (*column_sums[kDtypes])(std::size_t rows, std::size_t columns, const void* x, std::size_t ld,
                               const float* centre, float* sums, float* squares);
  void (*batch_statistics)(std::size_t columns, std::size_t rows, const float* centre, const float* sums,
                           const float* squares, float epsilon, const ColumnStatistics&);
  void (*running_statistics)(std::size_t columns, const float* mean, const float* variance, float epsilon,
                             const ColumnStatistics&);
  // Moves the running mean and variance towards the batch's, the variance unbiased: one row has none, and leaves
  // the running variance as it is.
  void (*update_running)(std::size_t columns, std::size_t rows, const ColumnStatistics& batch, float momentum,
                         float* mean, float* variance);
  void (*normalise_columns[kDtypes])(std::size_t columns, const void* x, const ColumnStatistics&, const float* gamma,
                                     const float* beta, float* y);
  // What one row adds to the gradients of gamma and beta: d * xhat and d.
  void (*normalise_columns_sums[kDtypes])(std::size_t columns, const void* x, const ColumnStatistics&, const float* d,
                                          float* gamma_sums, float* beta_sums);
  // d of one row of a batch of `rows` in place. gamma_grad and beta_grad are those sums over the whole batch.
  void (*normalise_columns_backward[kDtypes])(std::size_t columns, std::size_t rows, const void* x,
                                              const ColumnStatistics&, const float* gamma, const float* gamma_grad,
                                              const float* beta_grad, float* d);

  // Zero where an element's random number is below `dropped` (1 to 65535), else times 65536 / (65536 - dropped); NaN
  // and inf show either way. fp32 in place, n a multiple of 16.
  void (*dropout)(std::size_t n, float* x, const RandomPlace&, std::uint32_t dropped);
  // The same of the ReLU of two rows of z (columns a multiple of 16), rounded to the storage type in both layouts. The
  // second row's random numbers begin `next_row` elements behind the first's, a multiple of kRandomGroup.
  void (*relu_dropout[kDtypes])(std::size_t columns, const void* z, std::size_t ld, const RandomPlace&,
                                std::size_t next_row, std::uint32_t dropped, const StorageTarget& y);

  // Losses on `columns` valid logits of a row. Return the row's loss; write d = (dloss/dlogit) * scale, zero beyond
  // `columns` up to the next multiple of 16. d may alias logits.
  double (*softmax_cross_entropy)(std::size_t columns, const float* logits, std::int32_t label, float scale, float* d);
  void (*softmax)(std::size_t columns, const float* logits, float* probabilities);

  // Register-only instruction loops for the benchmarks: the flop done in `rounds` rounds. Null where the ISA has no
  // such instruction.
  double (*peak_fma)(std::size_t rounds);
  double (*peak_dot_bf16)(std::size_t rounds);
};

// What layers need to know of an activation.
struct ActivationFacts {
  Activation activation;
  bool slope_of_input;   // the derivative is computed from the pre-activation rather than from the output
  bool halves_variance;  // about: the weights before it start with twice the variance (He et al., 2015)
};

constexpr ActivationFacts facts_of(Activation activation) {
  constexpr ActivationFacts kFacts[] = {
      {Activation::identity, false, false}, {Activation::relu, false, true},       {Activation::gelu, true, true},
      {Activation::gelu_tanh, true, true},  {Activation::silu, true, true},        {Activation::tanh, false, false},
      {Activation::sigmoid, false, false},  {Activation::leaky_relu, false, true}, {Activation::elu, false, true},
      {Activation::softplus, false, true},  {Activation::selu, false, false},
  };
  return kFacts[static_cast<std::size_t>(activation)];
}

static_assert([] {
  bool in_order = true;
  for (std::size_t i = 0; i < kEnumNames<Activation>.size(); ++i) {
    const auto activation = static_cast<Activation>(i);
    in_order = in_order && facts_of(activation).activation == activation;
  }
  return in_order;
}());

constexpr bool derivative_needs_input(Activation activation) { return facts_of(activation).slope_of_input; }

}  // namespace halfstep::internal
