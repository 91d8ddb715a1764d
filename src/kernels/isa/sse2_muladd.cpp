// Baseline x86-64, products by a multiplication and an addition: native bits.
// Each header builds on those above it.
// clang-format off
#include "kernels/table.hpp"
#include "kernels/simd/xsimd.hpp"
namespace halfstep::internal::HS_NAMESPACE {
using Arch = xsimd::sse2;
}
#include "kernels/simd/reg_xsimd.hpp"
#include "kernels/simd/family_sse2.hpp"
#include "kernels/simd/wide.hpp"
#include "kernels/simd/storage.hpp"
#include "kernels/body/tile.hpp"
#include "kernels/simd/sums.hpp"
namespace halfstep::internal::HS_NAMESPACE {
using Fp32Route = WidenRoute<Dtype::fp32, Unfused>;
using Fp16Route = WidenRoute<Dtype::fp16, Unfused>;
using Bf16Route = WidenRoute<Dtype::bf16, Unfused>;
constexpr double (*kPeakDotBf16)(std::size_t) = nullptr;
constexpr void (*kEnter)() = nullptr, (*kLeave)() = nullptr;
}
#define HS_BASE isa_sse2
#include "kernels/body/products_table.hpp"
