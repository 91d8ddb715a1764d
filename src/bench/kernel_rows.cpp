#include "bench/kernel_rows.hpp"
#include "base/dtype.hpp"

#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace halfstep::internal {
namespace {

constexpr Dtype kFp32[] = {Dtype::fp32};
constexpr Dtype kAny[] = {Dtype::fp32, Dtype::bf16, Dtype::fp16};
constexpr Dtype k16Bit[] = {Dtype::bf16, Dtype::fp16};

constexpr float kOff = std::numeric_limits<float>::infinity();
constexpr std::size_t kBlockRows = kPieceGrain / kBlockColumns;
constexpr std::size_t kLogits = kPieceGrain;  // columns of a row of logits

constexpr AdamParameters kAdam = {.multiplier = 0.5f,
                                  .limit = kOff,
                                  .beta1 = 0.9f,
                                  .beta2 = 0.999f,
                                  .one_minus_beta1 = 0.1f,
                                  .one_minus_beta2 = 0.001f,
                                  .step_size = 0.001f,
                                  .inv_sqrt_correction = 1.5f,
                                  .epsilon = 1e-8f,
                                  .decay = 0.999f,
                                  .l2 = 0};
constexpr SgdParameters kSgd = {
    .multiplier = 0.5f, .limit = kOff, .lr = 0.001f, .momentum = 0.9f, .l2 = 0, .nesterov = false};
constexpr LionParameters kLion = {.multiplier = 0.5f,
                                  .limit = kOff,
                                  .lr = 0.001f,
                                  .one_minus_beta1 = 0.1f,
                                  .one_minus_beta2 = 0.01f,
                                  .weight_decay = 0.01f};
alignas(64) constexpr float kZeros[kBlockColumns] = {};
constexpr std::size_t kNormColumns = kPieceGrain / 2;  // of a row that is normalised: they go in twos
constexpr float kEpsilon = 1e-5f;

template <Activation A>
void forward(const KernelPiece& p) {
  p.kernels.activate_stored[p.index()](A, p.elements, p.at(0, 0), p.at(1, 0));
}

template <Activation A>
void backward(const KernelPiece& p) {
  p.kernels.differentiate_stored[p.index()](A, p.elements, p.at(0, 0), p.at(1, 0), p.at(2, 0));
}

// f(first element) for each block.
template <class F>
void for_each_block(const KernelPiece& p, F f) {
  for (std::size_t i = 0; i < p.elements; i += kPieceGrain) f(i);
}

StorageTarget target(const KernelPiece& p, std::size_t first, std::size_t rows, std::size_t panels) {
  return {p.at(rows, first), kBlockColumns, p.at(panels, first), kBlockRows * kLanes, p.dtype};
}

ForwardEpilogue forward_of(const KernelPiece& p, std::size_t first) {
  ForwardEpilogue e = {};
  e.tile = p.fp32[0] + first;
  e.rows = kBlockRows;
  e.columns = kBlockColumns;
  e.bias = kZeros;
  return e;
}

template <Activation A>
void forward_epilogue(const KernelPiece& p) {
  for_each_block(p, [&](std::size_t i) {
    ForwardEpilogue e = forward_of(p, i);
    e.activation = A;
    e.y = target(p, i, 0, 1);
    if (derivative_needs_input(A)) e.z = p.at(2, i);
    e.z_ld = kBlockColumns;
    p.kernels.forward_epilogue[p.index()](e);
  });
}

// Of a layer that its input skips.
void forward_epilogue_skip(const KernelPiece& p) {
  for_each_block(p, [&](std::size_t i) {
    ForwardEpilogue e = forward_of(p, i);
    e.activation = Activation::relu;
    e.y = target(p, i, 0, 1);
    e.skip = p.at(2, i);
    e.skip_ld = kBlockColumns;
    e.skip_dtype = p.dtype;
    p.kernels.forward_epilogue[p.index()](e);
  });
}

template <Activation A>
void backward_epilogue(const KernelPiece& p) {
  alignas(64) float sums[kBlockColumns] = {};
  for_each_block(p, [&](std::size_t i) {
    BackwardEpilogue e = {};
    e.tile = p.fp32[0] + i;
    e.rows = kBlockRows;
    e.columns = kBlockColumns;
    e.activation = A;
    e.saved = p.at(0, i);
    e.saved_ld = kBlockColumns;
    e.saved_dtype = p.dtype;
    e.sums = sums;
    e.d = target(p, i, 1, 2);
    p.kernels.backward_epilogue[p.index()](e);
  });
}

void logits_epilogue(const KernelPiece& p) {
  for_each_block(p, [&](std::size_t i) {
    ForwardEpilogue e = forward_of(p, i);
    e.logits = p.fp32[1] + i;
    e.logits_ld = kBlockColumns;
    p.kernels.logits_epilogue(e);
  });
}

void row_sums(const KernelPiece& p) {
  double sums[kBlockRows];
  for_each_block(p, [&](std::size_t i) {
    p.kernels.row_sums[p.index()](kBlockRows, kBlockColumns, p.at(0, i), kBlockColumns, sums);
  });
}

void column_sums(const KernelPiece& p) {
  alignas(64) float sums[kBlockColumns] = {}, squares[kBlockColumns] = {};
  p.kernels.column_sums[p.index()](p.elements / kBlockColumns, kBlockColumns, p.at(0, 0), kBlockColumns, kZeros, sums,
                                   squares);
}

void store_rows(const KernelPiece& p) {
  const std::size_t columns = p.elements / 2;
  const StorageTarget two_rows = {p.at(0, 0), columns, p.at(1, 0), 2 * kLanes, p.dtype};
  p.kernels.store_rows[p.index()](columns, p.fp32[0], p.fp32[0] + columns, two_rows);
}

void store_scaled(const KernelPiece& p) {
  const std::size_t columns = p.elements / 2;
  const StorageTarget two_rows = {p.at(0, 0), columns, p.at(1, 0), 2 * kLanes, p.dtype};
  p.kernels.store_scaled[p.index()](columns, p.fp32[0], p.fp32[1], p.fp32[0] + columns, p.fp32[1] + columns, two_rows);
}

void relu_dropout(const KernelPiece& p) {
  const std::size_t columns = p.elements / 2;
  const StorageTarget two_rows = {p.at(1, 0), columns, p.at(2, 0), 2 * kLanes, p.dtype};
  p.kernels.relu_dropout[p.index()](columns, p.at(0, 0), columns, {1, 2, 0}, columns / kRandomGroup * kRandomGroup,
                                    6554, two_rows);
}

void pack_strip(const KernelPiece& p) {
  for_each_block(p, [&](std::size_t i) {
    p.kernels.pack_strip[p.index()](kBlockColumns, p.fp32[0] + i, p.at(0, i), p.at(1, i), kBlockRows * kLanes);
  });
}

void unpack_strip(const KernelPiece& p) {
  for_each_block(p,
                 [&](std::size_t i) { p.kernels.unpack_strip[p.index()](kBlockColumns, p.at(0, i), p.fp32[0] + i); });
}

void softmax_cross_entropy(const KernelPiece& p) {
  for (std::size_t i = 0; i < p.elements; i += kLogits) {
    const auto label = static_cast<std::int32_t>(i / kLogits * 7 % kLogits);
    p.kernels.softmax_cross_entropy(kLogits, p.fp32[0] + i, label, 1.0f, p.fp32[1] + i);
  }
}

void softmax(const KernelPiece& p) {
  for (std::size_t i = 0; i < p.elements; i += kLogits) p.kernels.softmax(kLogits, p.fp32[0] + i, p.fp32[1] + i);
}

struct NormParameters {
  alignas(64) float gamma[kNormColumns], beta[kNormColumns];
  constexpr NormParameters() : gamma{}, beta{} {
    for (std::size_t i = 0; i < kNormColumns; ++i) {
      gamma[i] = 1 + static_cast<float>(i) / 1024;
      beta[i] = static_cast<float>(i) / 1024 - 0.25f;
    }
  }
};
constexpr NormParameters kNorm;

// As a layer has it without an activation: two rows from storage to storage.
template <Norm N>
void norm_forward(const KernelPiece& p) {
  alignas(64) float centred[2][kNormColumns];
  RowStatistics statistics[2];
  for_each_block(p, [&](std::size_t i) {
    p.kernels.row_statistics[p.index()](N, kNormColumns, p.at(0, i), kNormColumns, kEpsilon, centred[0], kNormColumns,
                                        statistics);
    p.kernels.normalise_rows[p.index()](Activation::identity, kNormColumns, centred[0], kNormColumns, statistics,
                                        kNorm.gamma, N == Norm::rms ? nullptr : kNorm.beta,
                                        {p.at(1, i), kNormColumns, nullptr, 0, p.dtype});
  });
}

// The gradient in place, without its way to storage.
template <Norm N>
void norm_backward(const KernelPiece& p) {
  constexpr RowStatistics kStatistics = {0.125f, 0, 0.75f};
  alignas(64) float sums[2][kNormColumns] = {};
  for (std::size_t i = 0; i < p.elements; i += kNormColumns) {
    p.kernels.normalise_backward[p.index()](N, kNormColumns, p.at(0, i), kStatistics, kNorm.gamma, p.fp32[0] + i,
                                            sums[0], N == Norm::rms ? nullptr : sums[1]);
  }
}

using enum ArrayUse;
using P = const KernelPiece&;

// Name, dtypes, call, use of the fp32 arrays, use of the stored arrays.
constexpr KernelRow kRows[] = {
    {"forward_epilogue_relu", kAny, forward_epilogue<Activation::relu>, {read}, {write, write}},
    {"forward_epilogue_gelu", kAny, forward_epilogue<Activation::gelu>, {update}, {write, write, write}},
    {"backward_epilogue_relu", kAny, backward_epilogue<Activation::relu>, {read}, {read, write, write}},
    {"backward_epilogue_gelu", kAny, backward_epilogue<Activation::gelu>, {update}, {read, write, write}},
    {"forward_epilogue_skip", kAny, forward_epilogue_skip, {update}, {write, write, read}},
    {"logits_epilogue", kFp32, logits_epilogue, {read, write}, {}},
    {"softmax", kFp32, softmax, {read, write}, {}},
    {"softmax_cross_entropy", kFp32, softmax_cross_entropy, {read, write}, {}},
    {"layer_norm_forward", kAny, norm_forward<Norm::layer>, {}, {read, write}},
    {"rms_norm_forward", kAny, norm_forward<Norm::rms>, {}, {read, write}},
    {"layer_norm_backward", kAny, norm_backward<Norm::layer>, {update}, {read}},
    {"rms_norm_backward", kAny, norm_backward<Norm::rms>, {update}, {read}},
    {"from_fp32",
     kAny,
     [](P p) { p.kernels.from_fp32[p.index()](p.elements, p.fp32[0], p.at(0, 0)); },
     {read},
     {write}},
    {"to_fp32", kAny, [](P p) { p.kernels.to_fp32[p.index()](p.elements, p.at(0, 0), p.fp32[0]); }, {write}, {read}},
    {"widen_rows",
     kAny,
     [](P p) { p.kernels.widen_rows[p.index()](1, p.elements / kLanes * kLanes, p.at(0, 0), 0, p.fp32[0], 0); },
     {write},
     {read}},
    {"widen_panel",
     kAny,
     [](P p) { p.kernels.widen_panel[p.index()](p.elements / kLanes, p.at(0, 0), p.fp32[0]); },
     {write},
     {read}},
    {"store_rows", kAny, store_rows, {read}, {write, write}},
    {"store_scaled", kAny, store_scaled, {read, read}, {write, write}},
    {"scaled_backward",
     kFp32,
     [](P p) { p.kernels.scaled_backward(p.elements, 1, p.fp32[0], p.fp32[0], p.elements, p.fp32[1], p.fp32[2]); },
     {read, update, update},
     {}},
    {"dropout",
     kFp32,
     [](P p) {
       p.kernels.dropout(p.elements, p.fp32[0], {1, 2, 0}, 6554);
     },
     {update},
     {}},
    {"relu_dropout", kAny, relu_dropout, {}, {read, write, write}},
    {"pack_strip", kAny, pack_strip, {read}, {write, write}},
    {"unpack_strip", kAny, unpack_strip, {write}, {read}},
    {"scan", kAny, [](P p) { (void)p.kernels.scan[p.index()](p.elements, p.at(0, 0), kOff); }, {}, {read}},
    {"scan_limited", kAny, [](P p) { (void)p.kernels.scan[p.index()](p.elements, p.at(0, 0), 1.0f); }, {}, {read}},
    {"round_stochastic",
     k16Bit,
     [](P p) {
       p.kernels.round_stochastic[p.index()](p.elements, p.fp32[0], {1, 2, 0});
     },
     {update},
     {}},
    {"split", k16Bit, [](P p) { p.kernels.split[p.index()](p.elements, p.fp32[0], p.at(0, 0)); }, {update}, {write}},
    {"sum_squares", kFp32, [](P p) { (void)p.kernels.sum_squares(p.elements, p.fp32[0]); }, {read}, {}},
    {"add", kFp32, [](P p) { p.kernels.add(p.elements, p.fp32[0], p.fp32[1]); }, {read, update}, {}},
    {"add_stored",
     kAny,
     [](P p) { p.kernels.add_stored[p.index()](p.elements, p.at(0, 0), p.fp32[0]); },
     {update},
     {read}},
    {"row_sums", kAny, row_sums, {}, {read}},
    {"column_sums", kAny, column_sums, {}, {read}},
    {"clamp", kFp32, [](P p) { p.kernels.clamp(p.elements, 3.0f, p.fp32[0]); }, {update}, {}},
    {"adam",
     kFp32,
     [](P p) { p.kernels.adam(p.elements, p.fp32[0], p.fp32[1], p.fp32[2], p.fp32[3], kAdam); },
     {read, update, update, update},
     {}},
    {"sgd",
     kFp32,
     [](P p) { p.kernels.sgd(p.elements, p.fp32[0], p.fp32[1], p.fp32[2], kSgd); },
     {read, update, update},
     {}},
    {"lion",
     kFp32,
     [](P p) { p.kernels.lion(p.elements, p.fp32[0], p.fp32[1], p.fp32[2], kLion); },
     {read, update, update},
     {}},
};

// Both directions of each.
template <std::size_t... I>
std::vector<KernelRow> activation_rows(std::index_sequence<I...>) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const std::string_view name : kEnumNames<Activation>) {
      list.push_back(std::string(name) + "_forward");
      list.push_back(std::string(name) + "_backward");
    }
    return list;
  }();
  std::vector<KernelRow> rows;
  (rows.push_back({names[2 * I], kAny, forward<static_cast<Activation>(I)>, {}, {read, write}}), ...);
  (rows.push_back({names[2 * I + 1], kAny, backward<static_cast<Activation>(I)>, {}, {read, read, write}}), ...);
  return rows;
}

void add(KernelBytes& bytes, ArrayUse use, std::size_t element) {
  if (use == none) return;
  bytes.held += element;
  bytes.moved += use == update ? 2 * element : element;
}

}  // namespace

std::span<const KernelRow> kernel_rows() {
  static const std::vector<KernelRow> rows = [] {
    std::vector<KernelRow> all = activation_rows(std::make_index_sequence<kEnumNames<Activation>.size()>());
    all.insert(all.end(), std::begin(kRows), std::end(kRows));
    return all;
  }();
  return rows;
}

KernelBytes bytes_of(const KernelRow& row, Dtype dtype) {
  KernelBytes bytes;
  for (const ArrayUse use : row.fp32) add(bytes, use, 4);
  for (const ArrayUse use : row.stored) add(bytes, use, size_of(dtype));
  return bytes;
}

}  // namespace halfstep::internal
