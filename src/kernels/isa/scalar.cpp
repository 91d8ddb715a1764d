// Plain C++, one lane at a time: runs everywhere and is the reference of the others.
// Each header builds on those above it.
// clang-format off
#include "kernels/table.hpp"
#define HS_JOIN_(a, b) a##b
#define HS_JOIN(a, b) HS_JOIN_(a, b)
#define HS_NAMESPACE HS_JOIN(isa_, HS_ISA)
#include "kernels/simd/family_scalar.hpp"
#include "kernels/simd/wide.hpp"
#include "kernels/simd/storage.hpp"
#include "kernels/body/math.hpp"
#include "kernels/body/tile.hpp"
#include "kernels/simd/sums.hpp"
namespace halfstep::internal::HS_NAMESPACE {
using Fp32Route = WidenRoute<Dtype::fp32>;
using Fp16Route = WidenRoute<Dtype::fp16, Unfused>;
using Bf16Route = WidenRoute<Dtype::bf16, FusedBf16>;
constexpr double (*kPeakDotBf16)(std::size_t) = nullptr;
constexpr void (*kEnter)() = nullptr, (*kLeave)() = nullptr;
}
#include "kernels/body/table.hpp"
