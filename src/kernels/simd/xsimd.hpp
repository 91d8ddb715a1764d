// The only place that includes xsimd. Its namespace is renamed for each ISA, so that no inline function of one
// translation unit can stand in for that of another: the linker would keep one for all, an illegal instruction on older
// CPUs.
#pragma once
#if defined(__FAST_MATH__) || defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "fast-math erases the inf check: halfstep refuses it"
#endif
#define HS_JOIN_(a, b) a##b
#define HS_JOIN(a, b) HS_JOIN_(a, b)
#define HS_NAMESPACE HS_JOIN(isa_, HS_ISA)
#define xsimd HS_JOIN(hs_xsimd_, HS_ISA)
#include <xsimd/xsimd.hpp>

namespace halfstep::internal::HS_NAMESPACE {

// The bits of one batch as another type. xsimd 11 takes the type of a lane where it took that of the batch.
template <class To, class From>
inline __attribute__((always_inline)) To cast_bits(const From& x) {
#if XSIMD_VERSION_MAJOR < 11
  return xsimd::bitwise_cast<To>(x);
#else
  return xsimd::bitwise_cast<typename To::value_type>(x);
#endif
}

}  // namespace halfstep::internal::HS_NAMESPACE
