// Instantiates every body for one ISA: included last by each isa/<name>.cpp, which has chosen the routes.
#pragma once
// Activations and epilogues build on these.
#include "kernels/body/logistic.hpp"
#include "kernels/body/normal.hpp"
#include "kernels/body/pack.hpp"
#include "kernels/body/scan.hpp"
// Falls back on scan.
#include "kernels/body/reduce.hpp"

#include "kernels/body/activation.hpp"
#include "kernels/body/short_activation.hpp"
// Of both.
#include "kernels/body/elementwise.hpp"

#include "kernels/body/epilogue.hpp"
#include "kernels/body/normalisation.hpp"
#include "kernels/body/optimizer.hpp"
#include "kernels/body/peak.hpp"
#include "kernels/body/rounding.hpp"
#include "kernels/body/scaled_rows.hpp"
#include "kernels/body/softmax.hpp"
// Builds on normalisation and epilogue.
#include "kernels/body/batch_normalisation.hpp"
// Draws as rounding does.
#include "kernels/body/dropout.hpp"

#define HS_EACH_DTYPE(f) \
  { f<Dtype::fp32>, f<Dtype::bf16>, f<Dtype::fp16> }
#define HS_STRING_(x) #x
#define HS_STRING(x) HS_STRING_(x)

namespace halfstep::internal::HS_NAMESPACE {

const KernelTable& kernel_table();
const KernelTable& kernel_table() {
  static constexpr KernelTable table = {
      .name = HS_STRING(HS_ISA),
      .enter = kEnter,
      .leave = kLeave,
      .gemm = {gemm_family<Fp32Route>(), gemm_family<Bf16Route>(), gemm_family<Fp16Route>()},
      .forward_epilogue = HS_EACH_DTYPE(forward_epilogue),
      .logits_epilogue = logits_epilogue,
      .backward_epilogue = HS_EACH_DTYPE(backward_epilogue),
      .from_fp32 = HS_EACH_DTYPE(from_fp32),
      .to_fp32 = HS_EACH_DTYPE(to_fp32),
      .bytes_to_fp32 = bytes_to_fp32,
      .widen_rows = HS_EACH_DTYPE(widen_rows),
      .widen_panel = HS_EACH_DTYPE(widen_panel),
      .store_rows = HS_EACH_DTYPE(store_rows),
      .store_scaled = HS_EACH_DTYPE(store_scaled),
      .scaled_backward = scaled_backward,
      .pack_strip = HS_EACH_DTYPE(pack_strip),
      .unpack_strip = HS_EACH_DTYPE(unpack_strip),
      .row_sums = HS_EACH_DTYPE(row_sums),
      .scan = HS_EACH_DTYPE(scan),
      .round_stochastic = HS_EACH_DTYPE(round_stochastic),
      .split = HS_EACH_DTYPE(split),
      .sum_squares = sum_squares,
      .add = add,
      .add_stored = HS_EACH_DTYPE(add_stored),
      .clamp = clamp,
      .adam = adam,
      .sgd = sgd,
      .lion = lion,
      .activate = {activate<Dtype::fp32>(), activate<Dtype::bf16>(), activate<Dtype::fp16>()},
      .differentiate = {differentiate<Dtype::fp32>(), differentiate<Dtype::bf16>(), differentiate<Dtype::fp16>()},
      .activate_stored = HS_EACH_DTYPE(activate_stored),
      .differentiate_stored = HS_EACH_DTYPE(differentiate_stored),
      .row_statistics = HS_EACH_DTYPE(row_statistics),
      .normalise = HS_EACH_DTYPE(normalise),
      .normalise_rows = HS_EACH_DTYPE(normalise_rows),
      .normalise_backward = HS_EACH_DTYPE(normalise_backward),
      .column_sums = HS_EACH_DTYPE(column_sums),
      .batch_statistics = batch_statistics,
      .running_statistics = running_statistics,
      .update_running = update_running,
      .normalise_columns = HS_EACH_DTYPE(normalise_columns),
      .normalise_columns_sums = HS_EACH_DTYPE(normalise_columns_sums),
      .normalise_columns_backward = HS_EACH_DTYPE(normalise_columns_backward),
      .dropout = dropout,
      .relu_dropout = HS_EACH_DTYPE(relu_dropout),
      .softmax_cross_entropy = softmax_cross_entropy,
      .softmax = softmax,
      .peak_fma = peak_fma,
      .peak_dot_bf16 = kPeakDotBf16,
  };
  return table;
}

}  // namespace halfstep::internal::HS_NAMESPACE
