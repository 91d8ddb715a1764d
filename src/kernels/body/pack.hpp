// Conversions between fp32 and the storage types, and the packed forms of the weights.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

template <Dtype D>
void from_fp32(std::size_t n, const float* src, void* dst) {
  using T = typename Storage<D>::Type;
  auto* out = static_cast<T*>(dst);
  const std::size_t i = for_each_16(
      n, [&](std::size_t at) HS_INLINED { Storage<D>::store16(out + at, load(src + at)); }, src, out);
  if (n % kLanes == 0) return;
  alignas(64) float in[kLanes] = {};
  alignas(64) T tail[kLanes];
  for (std::size_t j = i; j < n; ++j) in[j - i] = src[j];
  Storage<D>::store16(tail, load(in));
  for (std::size_t j = i; j < n; ++j) out[j] = tail[j - i];
}

template <Dtype D>
void to_fp32(std::size_t n, const void* src, float* dst) {
  using T = typename Storage<D>::Type;
  const auto* in = static_cast<const T*>(src);
  const std::size_t i = for_each_16(
      n, [&](std::size_t at) HS_INLINED { store(dst + at, Storage<D>::load16(in + at)); }, in, dst);
  if (n % kLanes == 0) return;
  alignas(64) T tail[kLanes] = {};
  alignas(64) float out[kLanes];
  for (std::size_t j = i; j < n; ++j) tail[j - i] = in[j];
  store(out, Storage<D>::load16(tail));
  for (std::size_t j = i; j < n; ++j) dst[j] = out[j - i];
}

// Plain loops that compilers vectorise for the ISA.
inline void bytes_to_fp32(std::size_t n, const std::uint8_t* src, float scale, float shift, float* dst) {
  for (std::size_t i = 0; i < n; ++i) dst[i] = static_cast<float>(src[i]) * scale + shift;
}

template <Dtype D>
void widen_rows(std::size_t rows, std::size_t k, const void* src, std::size_t src_ld, float* dst, std::size_t dst_ld) {
  const auto* in = static_cast<const typename Storage<D>::Type*>(src);
  for (std::size_t r = 0; r < rows; ++r, in += src_ld, dst += dst_ld) {
    if constexpr (D == Dtype::bf16) {
      for (std::size_t i = 0; i < k; i += kLanes) store(dst + i, load_odd_first16(in + i));
    } else {
      to_fp32<D>(k, in, dst);
    }
  }
}

template <Dtype D>
void widen_panel(std::size_t k, const void* src, float* dst) {
  if constexpr (D == Dtype::bf16) {
    const auto* in = static_cast<const std::uint16_t*>(src);
    for (std::size_t i = 0; i < k; i += 2) {
      const WideBits pairs = load_pairs(in + i * kLanes);
      store(dst + i * kLanes, widen_high(pairs));
      store(dst + (i + 1) * kLanes, widen_low(pairs));
    }
  } else {
    to_fp32<D>(k * kLanes, src, dst);
  }
}

template <Dtype D>
void pack_strip(std::size_t columns, const float* master, void* forward, void* backward, std::size_t backward_stride) {
  using T = typename Storage<D>::Type;
  auto* fwd = static_cast<T*>(forward);
  auto* bwd = static_cast<T*>(backward);
  for (std::size_t p = 0; p < columns / kLanes; ++p) {
    const float* const rows = master + p * kLanes;
    // A loop, of rows read apart: the code that rounds a pair is long, and stands once more for each k below.
    for (std::size_t o = 0; bwd && o < kLanes; o += 2) {
      const auto pair = Storage<D>::round_pair(load(rows + o * columns), load(rows + (o + 1) * columns));
      Storage<D>::store_panel(bwd + p * backward_stride + o * kLanes, pair);
    }
    Wide block[kLanes];
    HS_UNROLL for (std::size_t o = 0; o < kLanes; ++o) block[o] = load(rows + o * columns);
    transpose(block);
    HS_UNROLL for (std::size_t k = 0; k < kLanes; k += 2) {
      Storage<D>::store_panel(fwd + (p * kLanes + k) * kLanes, Storage<D>::round_pair(block[k], block[k + 1]));
    }
  }
}

template <Dtype D>
void unpack_strip(std::size_t columns, const void* forward, float* out) {
  using T = typename Storage<D>::Type;
  const auto* fwd = static_cast<const T*>(forward);
  for (std::size_t p = 0; p < columns / kLanes; ++p) {
    alignas(64) float panel[kLanes * kLanes];
    widen_panel<D>(kLanes, fwd + p * kLanes * kLanes, panel);
    Wide block[kLanes];
    constexpr std::size_t kSwap = D == Dtype::bf16 ? 1 : 0;  // pairs lie odd k first
    HS_UNROLL for (std::size_t k = 0; k < kLanes; ++k) block[k] = load(panel + (k ^ kSwap) * kLanes);
    transpose(block);
    HS_UNROLL for (std::size_t o = 0; o < kLanes; ++o) store(out + o * columns + p * kLanes, block[o]);
  }
}

}  // namespace halfstep::internal::HS_NAMESPACE
