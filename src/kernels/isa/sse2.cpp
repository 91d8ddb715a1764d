// Baseline x86-64.
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
#include "kernels/body/math.hpp"
#include "kernels/body/tile.hpp"
#include "kernels/simd/sums.hpp"
namespace halfstep::internal::HS_NAMESPACE {
using Fp32Route = WidenRoute<Dtype::fp32, FusedInPlace>;
using Fp16Route = WidenRoute<Dtype::fp16, Unfused>;
using Bf16Route = WidenRoute<Dtype::bf16, FusedBf16>;
constexpr double (*kPeakDotBf16)(std::size_t) = nullptr;
constexpr void (*kEnter)() = nullptr, (*kLeave)() = nullptr;
}
#include "kernels/body/table.hpp"
