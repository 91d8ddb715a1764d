// A table of its own products; all else is that of the ISA it stands on, HS_BASE, which is compiled anyway: included
// last by an isa/<name>.cpp that adds instructions for products alone.
#pragma once

#define HS_STRING_(x) #x
#define HS_STRING(x) HS_STRING_(x)

namespace halfstep::internal::HS_BASE {
const KernelTable& kernel_table();
}

namespace halfstep::internal::HS_NAMESPACE {

const KernelTable& kernel_table();
const KernelTable& kernel_table() {
  static constexpr GemmFamily gemm[] = {gemm_family<Fp32Route>(), gemm_family<Bf16Route>(), gemm_family<Fp16Route>()};
  static const KernelTable table = [] {
    KernelTable t = HS_BASE::kernel_table();
    t.name = HS_STRING(HS_ISA);
    t.enter = kEnter;
    t.leave = kLeave;
    for (std::size_t i = 0; i < kDtypes; ++i) t.gemm[i] = gemm[i];
    t.peak_dot_bf16 = kPeakDotBf16;
    return t;
  }();
  return table;
}

}  // namespace halfstep::internal::HS_NAMESPACE
