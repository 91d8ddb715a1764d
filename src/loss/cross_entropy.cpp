#include "loss/losses.hpp"

namespace halfstep {
namespace {

// -log softmax(logits)[label]; gradient softmax - onehot.
class CrossEntropy final : public Loss {
 public:
  double row(const KernelTable& kernels, const float* logits, std::size_t columns, std::size_t index,
             const Targets& targets, float scale, float* d) const override {
    return kernels.softmax_cross_entropy(columns, logits, targets.labels[index], scale, d);
  }
};

}  // namespace

std::unique_ptr<Loss> make_cross_entropy() { return std::make_unique<CrossEntropy>(); }

}  // namespace halfstep
