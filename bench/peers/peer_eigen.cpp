// Eigen's matrix product in fp32, compiled for this very CPU (see CMakeLists.txt).
#include <Eigen/Core>

#include "peers/peer.hpp"

namespace halfstep::peers {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Matrix values(Operand operand, std::size_t rows, std::size_t columns) {
  Matrix out(rows, columns);
  for (std::size_t i = 0; i < rows * columns; ++i) out.data()[i] = operand_value(operand, i);
  return out;
}

class EigenProduct final : public PeerProduct {
 public:
  explicit EigenProduct(const GemmBenchShape& s) : product_(s.product), dst_(s.m, s.n) {
    const bool forward = product_ == Product::forward, wgrad = product_ == Product::weight_gradient;
    lhs_ = wgrad ? values(lhs_of(s).operand, s.k, s.m) : values(lhs_of(s).operand, s.m, s.k);
    rhs_ = forward ? values(rhs_of(s).operand, s.n, s.k) : values(rhs_of(s).operand, s.k, s.n);
  }

  void run() override {
    switch (product_) {
      case Product::forward:
        dst_.noalias() = lhs_ * rhs_.transpose();
        break;
      case Product::input_gradient:
        dst_.noalias() = lhs_ * rhs_;
        break;
      case Product::weight_gradient:
        dst_.noalias() = lhs_.transpose() * rhs_;
        break;
    }
  }

  float result(std::size_t row, std::size_t column) const override {
    return dst_(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(column));
  }

 private:
  Product product_;
  Matrix lhs_, rhs_, dst_;
};

std::unique_ptr<PeerProduct> make(const GemmBenchShape& shape) { return std::make_unique<EigenProduct>(shape); }

std::string set_threads(int threads) {
  Eigen::setNbThreads(threads);
  return Eigen::nbThreads() == threads ? "" : "Eigen has one thread without OpenMP";
}

}  // namespace

Library eigen_library() {
#if defined(EIGEN_VERSION_STRING)
  const std::string version = EIGEN_VERSION_STRING;  // from 5.0 on
#else
  const std::string version = std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
                              std::to_string(EIGEN_MINOR_VERSION);
#endif
  return {"Eigen " + version + ", " + Eigen::SimdInstructionSetsInUse(), {{"eigen", true, make}}, set_threads};
}

}  // namespace halfstep::peers
