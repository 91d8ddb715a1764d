#include <algorithm>
#include <cstring>

#include "base/fp_env.hpp"
#include "bench/bandwidth.hpp"
#include "bench/caches.hpp"
#include "bench/kernel_arrays.hpp"
#include "bench/timing.hpp"
#include "gemm/blocking.hpp"
#include "halfstep/bench.hpp"
#include "halfstep/error.hpp"
#include "halfstep/text.hpp"
#include "kernels/dispatch.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr double kWindow = 0.005;  // seconds: there are many kernels

[[noreturn]] void refuse(std::string what, std::string where, std::string hint) {
  throw Error(Status::invalid_argument,
              {.what = std::move(what), .where = std::move(where), .why = {}, .kept = {}, .hint = std::move(hint)});
}

const KernelRow& row_of(const KernelBenchRequest& request) {
  std::vector<std::string_view> names;
  for (const KernelRow& row : kernel_rows()) {
    names.push_back(row.name);
    if (row.name != request.kernel) continue;
    if (std::find(row.dtypes.begin(), row.dtypes.end(), request.dtype) != row.dtypes.end()) return row;
    refuse("this kernel does not have this type", request.kernel + ", " + std::string(name(request.dtype)), {});
  }
  const std::string_view near = nearest_name(request.kernel, names);
  refuse("unknown kernel", request.kernel, near.empty() ? "" : "did you mean " + std::string(near) + "?");
}

std::size_t elements_of(const KernelBenchRequest& request, const KernelRow& row) {
  if (request.elements > std::size_t{1} << 36) refuse("too many elements", std::to_string(request.elements), {});
  if (request.elements > 0) return request.elements;
  const CacheSizes& caches = cache_sizes();
  const std::size_t bytes = request.place == KernelPlace::l1   ? caches.l1 / 2
                            : request.place == KernelPlace::l2 ? caches.l2 / 2
                                                               : beyond_cache_bytes(1);
  return std::max(kPieceGrain, bytes / bytes_of(row, request.dtype).held / kPieceGrain * kPieceGrain);
}

KernelPlace place_of(std::size_t bytes) {
  if (bytes <= cache_sizes().l1) return KernelPlace::l1;
  if (bytes <= cache_sizes().l2) return KernelPlace::l2;
  return static_cast<double>(bytes) < std::min(cache_bytes(1), 0x1p29) ? KernelPlace::cache : KernelPlace::memory;
}

// As many bytes as the kernel's arrays have, one half copied onto the other, which is some lines further within a page.
class Copy {
 public:
  Copy(std::size_t bytes, std::size_t pieces)
      : share_(std::max<std::size_t>(bytes / pieces / 2 / kGrain, 1) * kGrain), pieces_(pieces) {
    memory_ = AlignedBuffer<std::byte>(2 * share_ * pieces + kShift);
  }
  template <class F>
  TimedCase timed(F copy) {
    return {[this, copy](std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) {
        std::byte* const from = memory_.data() + turn_++ % pieces_ * share_;
        copy(std::span<const std::byte>(from, share_), from + share_ * pieces_ + kShift);
      }
    }};
  }
  double bytes() const { return 2 * static_cast<double>(share_); }  // of one run

 private:
  static constexpr std::size_t kGrain = 256, kShift = 5 * kCacheLine;
  AlignedBuffer<std::byte> memory_;
  std::size_t share_, pieces_, turn_ = 0;
};

std::vector<const KernelTable*> tables(const KernelBenchRequest& request) {
  std::vector<const KernelTable*> out;
  for (const std::string& isa : request.isas) out.push_back(&select_isa(isa, Math::native));
  for (const IsaState& isa : isas()) {
    if (request.isas.empty() && isa.runnable) out.push_back(isa.table);
  }
  return out;
}

const KernelTable* scalar_table() {
  for (const IsaState& isa : isas()) {
    if (isa.runnable && std::string_view(isa.name) == "scalar") return isa.table;
  }
  return nullptr;
}

}  // namespace

std::vector<BenchKernel> bench_kernel_list() {
  std::vector<BenchKernel> list;
  for (const KernelRow& row : kernel_rows()) list.push_back({row.name, row.dtypes});
  return list;
}

std::vector<KernelBenchResult> bench_kernel(const KernelBenchRequest& request) {
  const KernelRow& row = row_of(request);
  std::vector<const KernelTable*> kernels = tables(request);
  const std::size_t asked = kernels.size();
  const KernelTable* const scalar = scalar_table();
  const auto first_scalar = std::find(kernels.begin(), kernels.end(), scalar);
  const auto scalar_at = static_cast<std::size_t>(first_scalar - kernels.begin());
  if (scalar != nullptr && scalar_at == asked) kernels.push_back(scalar);

  KernelArrays arrays(row, request.dtype, elements_of(request, row));
  Copy copy(arrays.bytes(), arrays.pieces());
  const FpEnvGuard fp_env;
  std::size_t turn = 0;
  std::vector<TimedCase> cases;
  cases.push_back(copy.timed([](auto from, std::byte* to) { std::memcpy(to, from.data(), from.size()); }));
  cases.push_back(copy.timed(copy_streams));
  for (const KernelTable* table : kernels) {
    cases.push_back({[&, table](std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) row.run(arrays.piece(*table, turn++));
    }});
  }
  for (TimedCase& c : cases) c.window = kWindow;
  time_interleaved(cases, request.repetitions);

  const double best_copy = std::min(median(cases[0].seconds), median(cases[1].seconds));
  auto seconds = [&](std::size_t i) { return median(cases[2 + i].seconds); };
  std::vector<KernelBenchResult> results;
  for (std::size_t i = 0; i < asked; ++i) {
    KernelBenchResult r;
    r.isa = kernels[i]->name;
    r.elements = arrays.elements();
    r.place = place_of(arrays.bytes());
    r.ns_per_element = 1e9 * seconds(i) / static_cast<double>(arrays.piece_elements());
    r.median_ns = r.ns_per_element * static_cast<double>(arrays.elements());
    r.gb_per_s = static_cast<double>(bytes_of(row, request.dtype).moved) / r.ns_per_element;
    r.copy_gb_per_s = copy.bytes() / best_copy / 1e9;
    r.fraction_of_copy = r.gb_per_s / r.copy_gb_per_s;
    if (scalar != nullptr) r.speedup = seconds(scalar_at) / seconds(i);
    results.push_back(r);
  }
  return results;
}

}  // namespace halfstep
