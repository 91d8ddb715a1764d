// The largest magnitude of a range in a storage type.
#pragma once

namespace halfstep::HS_NAMESPACE {

// n a multiple of 16. Compares the bits: without the sign they order as the numbers do, with infinity above them all
// and NaN above infinity, so that a NaN anywhere is the result.
template <Dtype D>
float largest(std::size_t n, const void* x) {
  const auto* in = static_cast<const typename Storage<D>::Type*>(x);
  WideBits most = set_bits(0);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const WideBits magnitude = bits(abs(Storage<D>::load16(in + i)));
    most = select_greater(magnitude, most, magnitude, most);
  }
  alignas(64) float lanes[kLanes];
  store(lanes, from_bits(most));
  std::uint32_t found = 0;
  for (const float lane : lanes) {
    const auto magnitude = __builtin_bit_cast(std::uint32_t, lane);
    found = magnitude > found ? magnitude : found;
  }
  return __builtin_bit_cast(float, found);
}

}  // namespace halfstep::HS_NAMESPACE
