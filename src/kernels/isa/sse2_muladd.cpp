// Baseline x86-64, products by a multiplication and an addition: native bits. All else is that of sse2.
// Each header builds on those above it.
// clang-format off
#include "kernels/table.hpp"
#include "kernels/simd/xsimd.hpp"
namespace halfstep::isa_sse2 {
const KernelTable& kernel_table();
}
namespace halfstep::HS_NAMESPACE {
using Arch = xsimd::sse2;
}
#include "kernels/simd/reg_xsimd.hpp"
#include "kernels/simd/family_sse2.hpp"
#include "kernels/simd/wide.hpp"
#include "kernels/simd/storage.hpp"
#include "kernels/body/tile.hpp"
#include "kernels/simd/sums.hpp"
namespace halfstep::HS_NAMESPACE {
const KernelTable& kernel_table();
const KernelTable& kernel_table() {
  static constexpr GemmFamily gemm[] = {gemm_family<WidenRoute<Dtype::fp32, Unfused>>(),
                                        gemm_family<WidenRoute<Dtype::bf16, Unfused>>(),
                                        gemm_family<WidenRoute<Dtype::fp16, Unfused>>()};
  static const KernelTable table = [] {
    KernelTable rest = isa_sse2::kernel_table();
    rest.name = "sse2_muladd";
    for (std::size_t i = 0; i < kDtypes; ++i) rest.gemm[i] = gemm[i];
    return rest;
  }();
  return table;
}
}
