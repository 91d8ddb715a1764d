// What the CPU offers and the operating system has switched on.
#pragma once
#include <string>
#include <string_view>

namespace halfstep::internal {

// What keeps this machine from code that needs `bits`, a list of names separated by blanks: "" when nothing does,
// else "CPU lacks avx2", "operating system has not enabled AVX-512 registers" and the like.
std::string missing_cpu_bits(std::string_view bits);

// True where vdpbf16ps, though there, is slower than converting to fp32 and fma: on Intel's cores it starts once in 2.2
// cycles (Emerald Rapids, measured), fma twice in one; on AMD's from Zen 4 both start twice in one.
bool slow_dot_bf16();

// True where converting 16-bit values to fp32 takes the instruction ports of fma, as on Intel's cores (on AMD's it runs
// beside it), or many instructions, for want of F16C.
bool slow_conversions();

// Marketing name of the CPU, or what is known of it.
std::string cpu_name();

}  // namespace halfstep::internal
