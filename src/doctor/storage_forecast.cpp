#include "doctor/storage_forecast.hpp"

#include <cstddef>

namespace halfstep::internal {
namespace {

// Powers of two of a type: what is below `flushed` becomes zero, below `normal` subnormal, from `infinite` on infinite.
struct Borders {
  int flushed, normal, infinite;
};

Borders borders_of(Dtype dtype) {
  if (dtype == Dtype::fp16) return {-25, -14, 16};
  return {-126, -126, 128};  // fp32's subnormals are flushed before bf16 could keep them
}

}  // namespace

TensorMeter forecast(const TensorMeter& wide, Dtype storage) {
  TensorMeter out = wide;
  out.storage = storage;
  out.flushed = out.subnormal = out.saturated = 0;
  const Borders borders = borders_of(storage);
  for (int i = 1; i < 255; ++i) {
    const std::int64_t count = wide.exponents[static_cast<std::size_t>(i)];
    const int power = i - 127;
    if (power < borders.flushed) {
      out.flushed += count;
    } else if (power < borders.normal) {
      out.subnormal += count;
    } else if (power >= borders.infinite) {
      out.saturated += count;
    }
  }
  return out;
}

}  // namespace halfstep::internal
