// AArch64 with FEAT_FHM and FEAT_BF16: 16-bit products without conversions, the same bits.
// Each header builds on those above it.
// clang-format off
#include "kernels/table.hpp"
#include "kernels/simd/xsimd.hpp"
namespace halfstep::internal::HS_NAMESPACE {
using Arch = xsimd::neon64;
}
#include "kernels/simd/reg_xsimd.hpp"
#include "kernels/simd/family_neon.hpp"
#include "kernels/simd/wide.hpp"
#include "kernels/simd/storage.hpp"
#include "kernels/body/tile.hpp"
#include "kernels/simd/tile_neon.hpp"
#include "kernels/simd/route_neon.hpp"
#include "kernels/simd/route_neon_fp16.hpp"
#include "kernels/simd/route_neon_bf16.hpp"
namespace halfstep::internal::HS_NAMESPACE {
using Fp32Route = NeonFmaRoute<Dtype::fp32>;
using Fp16Route = FmlalRoute;
using Bf16Route = BfmlalRoute;
constexpr double (*kPeakDotBf16)(std::size_t) = nullptr;
constexpr void (*kEnter)() = nullptr, (*kLeave)() = nullptr;
}
#define HS_BASE isa_neon
#include "kernels/body/products_table.hpp"
