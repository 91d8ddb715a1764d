#include "doctor/probe_trials.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "doctor/probe.hpp"
#include "doctor/special_values.hpp"

namespace halfstep::internal {
namespace {

// Of kSpecialBits: what a sum must not swallow, and what it must not lose.
constexpr std::size_t kQuietNan = 14;
constexpr std::size_t kAloneSpecials[] = {12, 13, 10, 16, 5, 40};
constexpr std::size_t kAloneRounds = 2;  // at each place: a NaN, and one of these

// What stands in the arrays: `alone` is a special number among ordinary ones.
enum class Filling { ordinary, special, alone };

bool is_nan(Dtype dtype, std::uint32_t bits) {
  if (dtype == Dtype::fp32) return (bits & 0x7fffffffu) > 0x7f800000u;
  return (bits & 0x7fffu) > (dtype == Dtype::bf16 ? 0x7f80u : 0x7c00u);
}

std::uint32_t read(Dtype dtype, const std::uint32_t* words, std::size_t index) {
  if (dtype == Dtype::fp32) return words[index];
  std::uint16_t code;
  std::memcpy(&code, reinterpret_cast<const char*>(words) + 2 * index, 2);
  return code;
}

void write(Dtype dtype, std::uint32_t* words, std::size_t index, std::uint32_t bits) {
  std::memcpy(reinterpret_cast<char*>(words) + size_of(dtype) * index, &bits, size_of(dtype));
}

// One probe with one storage type and one activation.
class KernelTrials {
 public:
  KernelTrials(const Probe& probe, Dtype dtype, Activation activation, const KernelTable& reference,
               std::vector<TableUnderTest>& tables, ProbeMemory (&memory)[3])
      : probe_(probe),
        dtype_(dtype),
        activation_(activation),
        reference_(reference),
        tables_(tables),
        start_(memory[0]),
        wanted_(memory[1]),
        got_(memory[2]) {}

  void run() {
    for (const std::size_t n : probe_.lengths) {
      for (std::size_t round = 0; round < kOrdinaryRounds; ++round) attempt(Filling::ordinary, n, round);
      for (std::size_t round = 0; round < kSpecials; ++round) attempt(Filling::special, n, round);
    }
    const std::size_t rounds = probe_.reduced * kAloneRounds;
    for (std::size_t round = 0; round < rounds; ++round) attempt(Filling::alone, probe_.lengths.back(), round);
    for (TableUnderTest& table : tables_) table.kernel_ended();
  }

 private:
  static constexpr std::size_t kOrdinaryRounds = 3;

  std::size_t arrays() const { return probe_.fp32 + probe_.stored; }
  // Of all arrays; fp32 ones come first.
  std::size_t place(std::size_t array) const {
    return array < probe_.fp32 ? array : array - probe_.fp32 + ProbeMemory::kFp32;
  }
  Dtype type(std::size_t array) const { return array < probe_.fp32 ? Dtype::fp32 : dtype_; }
  std::size_t bytes(std::size_t array) const { return probe_.extent * size_of(type(array)); }

  std::uint32_t value(Filling filling, Dtype type, std::size_t array, std::size_t index, std::size_t round) const {
    if (filling == Filling::special) {
      const std::uint32_t code = special_code(type, index + (array + 1) * round);
      const bool subnormal = type == Dtype::fp32 && (code & 0x7f800000u) == 0;
      return subnormal && probe_.computed ? code & 0x80000000u : code;
    }
    constexpr float kSizes[kOrdinaryRounds] = {1.0f, 1e-19f, 1e19f};
    const float size = filling == Filling::ordinary && type != Dtype::fp16 ? kSizes[round % kOrdinaryRounds] : 1.0f;
    return code_of(type, ordinary(array, index) * size);
  }

  void fill(Filling filling, std::size_t round) {
    for (std::size_t a = 0; a < arrays(); ++a) {
      std::uint32_t* const words = start_.words(place(a));
      // The ordinary numbers stay from one round to the next; only one among them changes.
      if (filling != Filling::alone || round == 0) {
        for (std::size_t i = 0; i < probe_.extent; ++i) write(type(a), words, i, value(filling, type(a), a, i, round));
      }
      if (filling != Filling::alone) continue;
      const auto spot = [&](std::size_t r) { return (r / kAloneRounds + 5 * a) % probe_.reduced; };
      if (round > 0) write(type(a), words, spot(round - 1), value(filling, type(a), a, spot(round - 1), round));
      const std::size_t other = kAloneSpecials[round / kAloneRounds % std::size(kAloneSpecials)];
      write(type(a), words, spot(round), special_code(type(a), round % kAloneRounds == 0 ? kQuietNan : other));
    }
  }

  void call(const KernelTable& kernels, ProbeMemory& memory, std::size_t n, std::size_t round) {
    for (std::size_t a = 0; a < arrays(); ++a) std::memcpy(memory.words(place(a)), start_.words(place(a)), bytes(a));
    std::fill_n(memory.returned(), ProbeMemory::kReturned, 0.0);
    probe_.run({kernels, memory, dtype_, activation_, n, round});
  }

  void attempt(Filling filling, std::size_t n, std::size_t round) {
    fill(filling, round);
    call(reference_, wanted_, n, round);
    for (TableUnderTest& table : tables_) {
      if (table.failed) continue;
      call(table.kernels, got_, n, round);
      ++table.check.calls;
      if (const std::optional<KernelFailure> found = difference(n)) table.failure(*found);
    }
  }

  // A selection may hand an fp32 subnormal through or flush it, as the compiler chose its instruction: to all
  // arithmetic that follows both are zero.
  bool same(Dtype type, std::uint32_t got, std::uint32_t wanted) const {
    const auto flushed = [&](std::uint32_t code) {
      return type == Dtype::fp32 && (code & 0x7f800000u) == 0 ? code & 0x80000000u : code;
    };
    return flushed(got) == flushed(wanted) || (!probe_.nan_bits && is_nan(type, got) && is_nan(type, wanted));
  }

  std::optional<KernelFailure> difference(std::size_t n) {
    for (std::size_t a = 0; a < arrays(); ++a) {
      const std::uint32_t* const got = got_.words(place(a));
      const std::uint32_t* const wanted = wanted_.words(place(a));
      if (std::memcmp(got, wanted, bytes(a)) == 0) continue;
      for (std::size_t i = 0; i < probe_.extent; ++i) {
        const std::uint32_t g = read(type(a), got, i), w = read(type(a), wanted, i);
        if (same(type(a), g, w)) continue;
        return failure(n, i, bits_text(g, size_of(type(a))), bits_text(w, size_of(type(a))));
      }
    }
    for (std::size_t i = 0; i < ProbeMemory::kReturned; ++i) {
      const double g = got_.returned()[i], w = wanted_.returned()[i];
      const auto got = std::bit_cast<std::uint64_t>(g), wanted = std::bit_cast<std::uint64_t>(w);
      if (got == wanted || (std::isnan(g) && std::isnan(w))) continue;
      return failure(n, i, bits_text(got, 8), bits_text(wanted, 8));
    }
    return {};
  }

  KernelFailure failure(std::size_t n, std::size_t element, std::string got, std::string wanted) const {
    std::string kernel(probe_.name);
    if (!probe_.activations.empty()) kernel += "[" + std::string(name(activation_)) + "]";
    return {{}, std::move(kernel), dtype_, n, element, std::move(got), std::move(wanted)};
  }

  const Probe& probe_;
  Dtype dtype_;
  Activation activation_;
  const KernelTable& reference_;
  std::vector<TableUnderTest>& tables_;
  ProbeMemory &start_, &wanted_, &got_;
};

}  // namespace

void try_probes(const KernelTable& reference, std::vector<TableUnderTest>& tables) {
  ProbeMemory memory[3];
  constexpr Activation kNone[] = {Activation::identity};
  for (const auto probes : {conversion_probes(), range_probes(), norm_probes(), epilogue_probes()}) {
    for (const Probe& probe : probes) {
      for (const Dtype dtype : probe.dtypes) {
        for (const Activation activation : probe.activations.empty() ? std::span(kNone) : probe.activations) {
          KernelTrials(probe, dtype, activation, reference, tables, memory).run();
        }
      }
    }
  }
}

}  // namespace halfstep::internal
