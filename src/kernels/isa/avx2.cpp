// AVX2 with FMA and F16C.
// Each header builds on those above it.
// clang-format off
#include "kernels/table.hpp"
#include "kernels/simd/xsimd.hpp"
namespace halfstep::internal::HS_NAMESPACE {
using Arch = xsimd::fma3<xsimd::avx2>;
}
#include "kernels/simd/reg_xsimd.hpp"
#include "kernels/simd/family_avx2.hpp"
#include "kernels/simd/wide.hpp"
#include "kernels/simd/storage.hpp"
#include "kernels/body/math.hpp"
#include "kernels/body/tile.hpp"
namespace halfstep::internal::HS_NAMESPACE {
using Fp32Route = WidenRoute<Dtype::fp32>;
using Fp16Route = WidenRoute<Dtype::fp16>;
using Bf16Route = WidenRoute<Dtype::bf16>;
constexpr double (*kPeakDotBf16)(std::size_t) = nullptr;
constexpr void (*kEnter)() = nullptr, (*kLeave)() = nullptr;
}
#include "kernels/body/table.hpp"
