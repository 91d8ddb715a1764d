// AVX-512 with vdpbf16ps.
// Each header builds on those above it.
// clang-format off
#include "kernels/table.hpp"
#include "kernels/simd/xsimd.hpp"
namespace halfstep::internal::HS_NAMESPACE {
using Arch = xsimd::avx512bw;
}
#include "kernels/simd/reg_xsimd.hpp"
#include "kernels/simd/family_avx512.hpp"
#include "kernels/simd/wide.hpp"
#include "kernels/simd/storage.hpp"
#include "kernels/body/math.hpp"
#include "kernels/body/tile.hpp"
#include "kernels/simd/dot_bf16_avx512.hpp"
namespace halfstep::internal::HS_NAMESPACE {
using Fp32Route = WidenRoute<Dtype::fp32>;
using Fp16Route = WidenRoute<Dtype::fp16>;
using Bf16Route = DotRoute;
constexpr double (*kPeakDotBf16)(std::size_t) = peak_dot_bf16;
constexpr void (*kEnter)() = nullptr, (*kLeave)() = nullptr;
}
#include "kernels/body/table.hpp"
