// AVX-512 F, CD, BW, DQ, VL.
#include "kernels/simd/xsimd.hpp"
#include "kernels/table.hpp"
namespace halfstep::HS_NAMESPACE {
using Arch = xsimd::avx512bw;
}
#include "kernels/body/math.hpp"
#include "kernels/body/tile.hpp"
#include "kernels/simd/family_avx512.hpp"
#include "kernels/simd/reg_xsimd.hpp"
#include "kernels/simd/storage.hpp"
#include "kernels/simd/wide.hpp"
namespace halfstep::HS_NAMESPACE {
using Bf16Route = PairRoute;
}
#include "kernels/body/table.hpp"
