// oneDNN's matmul, 2.x and 3.x. "plain": row-major weights, which it packs in each call. "packed": weights in the
// layout it asks for, reordered beforehand; a trainer would pay that reorder at each step.
#include <cstdlib>
#include <cstring>
#include <dnnl.hpp>
#include <unordered_map>

#if defined(_OPENMP)
#include <omp.h>
#endif

#include "base/float16.hpp"
#include "peers/peer.hpp"

namespace halfstep::peers {

using namespace internal;
namespace {

using Dim = dnnl::memory::dim;

dnnl::memory::data_type to_dnnl(Dtype dtype) {
  if (dtype == Dtype::bf16) return dnnl::memory::data_type::bf16;
  if (dtype == Dtype::fp16) return dnnl::memory::data_type::f16;
  return dnnl::memory::data_type::f32;
}

dnnl::memory::desc describe(Dtype dtype, std::size_t rows, std::size_t columns, std::size_t row_stride,
                            std::size_t column_stride) {
  return {{static_cast<Dim>(rows), static_cast<Dim>(columns)},
          to_dnnl(dtype),
          dnnl::memory::dims{static_cast<Dim>(row_stride), static_cast<Dim>(column_stride)}};
}

void fill(const dnnl::memory& memory, Dtype dtype, Operand operand, std::size_t elements) {
  auto* bytes = static_cast<char*>(memory.get_data_handle());
  for (std::size_t i = 0; i < elements; ++i) {
    const float value = operand_value(operand, i);
    if (dtype == Dtype::fp32) {
      std::memcpy(bytes + 4 * i, &value, 4);
    } else {
      const std::uint16_t bits = dtype == Dtype::bf16 ? to_bf16(value).bits : to_fp16(value).bits;
      std::memcpy(bytes + 2 * i, &bits, 2);
    }
  }
}

dnnl::matmul::primitive_desc plan(const dnnl::engine& engine, const dnnl::memory::desc& lhs,
                                  const dnnl::memory::desc& rhs, const dnnl::memory::desc& dst) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, lhs, rhs, dst};
#else
  return {dnnl::matmul::desc(lhs, rhs, dst), engine};
#endif
}

class OnednnProduct final : public PeerProduct {
 public:
  OnednnProduct(const GemmBenchShape& s, bool packed)
      : columns_(s.n), dtype_(result_dtype(s)), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    const OperandView lhs = lhs_of(s), rhs = rhs_of(s);
    const auto lhs_desc = describe(s.dtype, s.m, s.k, lhs.row_stride, lhs.column_stride);
    const auto rhs_desc = describe(s.dtype, s.k, s.n, rhs.row_stride, rhs.column_stride);
    const auto dst_desc = describe(dtype_, s.m, s.n, s.n, 1);
    const dnnl::memory::dims rhs_dims = {static_cast<Dim>(s.k), static_cast<Dim>(s.n)};
    const dnnl::memory::desc free_desc(rhs_dims, to_dnnl(s.dtype), dnnl::memory::format_tag::any);
    const auto chosen = plan(engine_, lhs_desc, packed ? free_desc : rhs_desc, dst_desc);
    dnnl::memory lhs_memory(lhs_desc, engine_), rhs_memory(rhs_desc, engine_);
    dst_ = dnnl::memory(dst_desc, engine_);
    fill(lhs_memory, s.dtype, lhs.operand, s.m * s.k);
    fill(rhs_memory, s.dtype, rhs.operand, s.k * s.n);
    if (packed) {
      dnnl::memory own(chosen.weights_desc(), engine_);
      dnnl::reorder(rhs_memory, own).execute(stream_, rhs_memory, own);
      stream_.wait();
      rhs_memory = own;
    }
    matmul_ = dnnl::matmul(chosen);
    arguments_ = {{DNNL_ARG_SRC, lhs_memory}, {DNNL_ARG_WEIGHTS, rhs_memory}, {DNNL_ARG_DST, dst_}};
  }

  void run() override {
    matmul_.execute(stream_, arguments_);
    stream_.wait();
  }

  float result(std::size_t row, std::size_t column) const override {
    const std::size_t at = row * columns_ + column;
    const void* data = dst_.get_data_handle();
    if (dtype_ == Dtype::bf16) return to_fp32(static_cast<const Bf16*>(data)[at]);
    if (dtype_ == Dtype::fp16) return to_fp32(static_cast<const Fp16*>(data)[at]);
    return static_cast<const float*>(data)[at];
  }

 private:
  std::size_t columns_;
  Dtype dtype_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  dnnl::memory dst_;
  dnnl::matmul matmul_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

template <bool kPacked>
std::unique_ptr<PeerProduct> make(const GemmBenchShape& shape) {
  try {
    return std::make_unique<OnednnProduct>(shape, kPacked);
  } catch (const dnnl::error& e) {
    if (e.status == dnnl_unimplemented) return nullptr;
    throw;
  }
}

constexpr bool kOpenMp = DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP;

// Other runtimes than OpenMP offer no call that would change the number of threads of a running process.
std::string set_threads([[maybe_unused]] int threads) {
  if constexpr (!kOpenMp) return threads == 1 ? "" : "this oneDNN is not built on OpenMP: its threads cannot be set";
#if defined(_OPENMP)
  omp_set_num_threads(threads);
  return {};
#else
  const char* set = std::getenv("OMP_NUM_THREADS");
  if (set != nullptr && std::string(set) == std::to_string(threads)) return {};
  return "built without OpenMP: start with OMP_NUM_THREADS=" + std::to_string(threads);
#endif
}

}  // namespace

Library onednn_library() {
  const dnnl_version_t& v = *dnnl_version();
  return {"oneDNN " + std::to_string(v.major) + "." + std::to_string(v.minor) + "." + std::to_string(v.patch) +
              (kOpenMp ? " (OpenMP)" : " (not OpenMP)"),
          {{"onednn_plain", false, make<false>}, {"onednn_packed", false, make<true>}},
          set_threads};
}

}  // namespace halfstep::peers
