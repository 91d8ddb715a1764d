#include "kernels/cpu.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace halfstep::internal {
namespace {

// A CPU feature, and whether its registers are saved when threads switch.
struct CpuBit {
  std::string_view name;
  bool in_cpu;
  bool in_system;
  std::string_view registers;
};

#if defined(__x86_64__)

// A feature that CPUID reports is usable only when XCR0 says that the system saves its registers.
constexpr std::uint64_t kXcr0Avx = 0x6;      // XMM, YMM
constexpr std::uint64_t kXcr0Avx512 = 0xe6;  // and opmask, upper ZMM halves, ZMM16-31

struct Leaf {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  Leaf out;
  if (!__get_cpuid_count(leaf, subleaf, &out.eax, &out.ebx, &out.ecx, &out.edx)) return {};
  return out;
}

bool bit(std::uint32_t word, int index) { return ((word >> index) & 1u) != 0; }

std::uint64_t enabled_registers(const Leaf& leaf1) {
  constexpr int kOsxsave = 27;  // without it XGETBV is an illegal instruction
  if (!bit(leaf1.ecx, kOsxsave)) return 0;
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

// Bit numbers: Intel SDM volume 2A, CPUID, leaves 1 and 7.
auto cpu_bits() {
  const Leaf one = cpuid(1, 0);
  const Leaf seven = cpuid(7, 0);
  const Leaf seven1 = seven.eax >= 1 ? cpuid(7, 1) : Leaf{};
  const std::uint64_t xcr0 = enabled_registers(one);
  const bool avx = (xcr0 & kXcr0Avx) == kXcr0Avx;
  const bool avx512 = (xcr0 & kXcr0Avx512) == kXcr0Avx512;
  return std::to_array<CpuBit>({
      {"avx2", bit(one.ecx, 28) && bit(seven.ebx, 5), avx, "AVX"},
      {"fma", bit(one.ecx, 12), avx, "AVX"},
      {"f16c", bit(one.ecx, 29), avx, "AVX"},
      {"avx512f", bit(seven.ebx, 16), avx512, "AVX-512"},
      {"avx512dq", bit(seven.ebx, 17), avx512, "AVX-512"},
      {"avx512cd", bit(seven.ebx, 28), avx512, "AVX-512"},
      {"avx512bw", bit(seven.ebx, 30), avx512, "AVX-512"},
      {"avx512vl", bit(seven.ebx, 31), avx512, "AVX-512"},
      {"avx512_bf16", bit(seven1.eax, 5), avx512, "AVX-512"},
  });
}

#elif defined(__aarch64__)

// Bit numbers: Linux arch/arm64/include/uapi/asm/hwcap.h.
auto cpu_bits() {
#if defined(__linux__)
  const unsigned long one = getauxval(AT_HWCAP);
  const unsigned long two = getauxval(AT_HWCAP2);
#else
  const unsigned long one = 1ul << 1, two = 0;  // Advanced SIMD is part of the base architecture
#endif
  return std::to_array<CpuBit>({
      {"asimd", ((one >> 1) & 1) != 0, true, ""},
      {"asimdhp", ((one >> 10) & 1) != 0, true, ""},
      {"asimdfhm", ((one >> 23) & 1) != 0, true, ""},
      {"bf16", ((two >> 14) & 1) != 0, true, ""},
  });
}

#else

auto cpu_bits() { return std::array<CpuBit, 0>{}; }

#endif

std::string why_missing(std::string_view name) {
  static const auto known = cpu_bits();
  for (const CpuBit& cpu_bit : known) {
    if (cpu_bit.name != name) continue;
    if (!cpu_bit.in_cpu) return "CPU lacks " + std::string(name);
    if (!cpu_bit.in_system) {
      return "the operating system has not enabled the " + std::string(cpu_bit.registers) + " registers";
    }
    return {};
  }
  return "CPU lacks " + std::string(name);
}

}  // namespace

std::string missing_cpu_bits(std::string_view bits) {
  while (!bits.empty()) {
    const std::size_t end = bits.find(' ');
    const std::string_view name = bits.substr(0, end);
    if (!name.empty()) {
      if (std::string why = why_missing(name); !why.empty()) return why;
    }
    if (end == std::string_view::npos) break;
    bits.remove_prefix(end + 1);
  }
  return {};
}

#if defined(__x86_64__)

namespace {
bool is_intel() {
  const Leaf vendor = cpuid(0, 0);  // twelve letters, in this order of registers
  char name[12];
  std::memcpy(name, &vendor.ebx, 4);
  std::memcpy(name + 4, &vendor.edx, 4);
  std::memcpy(name + 8, &vendor.ecx, 4);
  return std::string_view(name, sizeof(name)) == "GenuineIntel";
}
}  // namespace

bool slow_dot_bf16() { return is_intel(); }
bool slow_conversions() {
  constexpr int kF16c = 29;
  return is_intel() || !bit(cpuid(1, 0).ecx, kF16c);
}

std::string cpu_name() {
  constexpr std::uint32_t kFirst = 0x80000002u, kLast = 0x80000004u;  // brand string, 16 bytes per leaf
  if (static_cast<std::uint32_t>(__get_cpuid_max(0x80000000u, nullptr)) < kLast) return "x86-64";
  char text[49] = {};
  for (std::uint32_t leaf = kFirst; leaf <= kLast; ++leaf) {
    const Leaf part = cpuid(leaf, 0);
    std::memcpy(text + (leaf - kFirst) * sizeof(Leaf), &part, sizeof(Leaf));
  }
  std::string name(text);
  name.erase(0, name.find_first_not_of(' '));
  name.erase(name.find_last_not_of(' ') + 1);
  return name.empty() ? "x86-64" : name;
}

#else

bool slow_dot_bf16() { return false; }
bool slow_conversions() { return false; }

std::string cpu_name() {
#if defined(__aarch64__)
  std::string name = "AArch64";
#else
  std::string name = "unknown CPU";
#endif
  // Linux names Arm cores by number only.
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    if (line.starts_with("CPU implementer")) name += ", implementer " + line.substr(colon + 2);
    if (line.starts_with("CPU part")) return name + ", part " + line.substr(colon + 2);
  }
  return name;
}

#endif

}  // namespace halfstep::internal
