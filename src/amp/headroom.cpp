#include "amp/headroom.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace halfstep::internal {
namespace {

constexpr float kGoal = 16384;  // fp16 ends at 65504
constexpr int kMostBits = 16;

}  // namespace

bool Headroom::retreat(GradScaler& scaler) {
  if (bits_ > kMostBits || scaler.at_minimum()) return false;
  scaler.set_scale(std::ldexp(scaler.scale(), -bits_));
  bits_ *= 2;
  seen_ = 0;
  window_ = 1;
  return true;
}

void Headroom::fit(GradScaler& scaler, float largest) {
  bits_ = 2;
  if (!(largest > 0 && largest < INFINITY)) return;  // a batch without gradients says nothing
  int exponent = 0;
  std::frexp(kGoal / largest, &exponent);
  const float wanted = std::ldexp(scaler.scale(), exponent - 1);
  const bool falls = wanted < scaler.scale();
  allowed_ = seen_ == 0 || falls ? wanted : std::min(allowed_, wanted);
  if (++seen_ < window_ && !falls) return;
  scaler.set_scale(allowed_);
  seen_ = 0;
  window_ = kWindow;
}

void Headroom::visit_state(StateVisitor& visitor) {
  auto allowed = static_cast<double>(allowed_);
  visitor.number("allowed", allowed);
  if (visitor.loads_scalars()) {
    if (!(allowed >= 0 && allowed <= std::numeric_limits<float>::max())) visitor.out_of_range("allowed");
    allowed_ = static_cast<float>(allowed);
  }
  visitor.value("seen", seen_, kWindow + 1);
  visitor.value("window", window_, kWindow + 1);
  visitor.value("bits", bits_, 2 * kMostBits + 1);
  if (!visitor.loads_scalars()) return;
  if (window_ < 1) visitor.out_of_range("window");
  if (bits_ < 1) visitor.out_of_range("bits");  // a retreat that takes nothing off the scale would never end
}

}  // namespace halfstep::internal
