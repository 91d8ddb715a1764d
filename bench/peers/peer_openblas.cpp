// OpenBLAS's sgemm. Its headers are in a different place on every system; these are the few functions used here.
#include "peers/peer.hpp"

extern "C" {
void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float* a, int lda,
                 const float* b, int ldb, float beta, float* c, int ldc);
void openblas_set_num_threads(int threads);
int openblas_get_num_threads(void);
char* openblas_get_config(void);
char* openblas_get_corename(void);
}

namespace halfstep::peers {
namespace {

// Values of the CBLAS enumerations.
constexpr int kRowMajor = 101, kAsIs = 111, kTransposed = 112;

std::vector<float> values(Operand operand, std::size_t elements) {
  std::vector<float> out(elements);
  for (std::size_t i = 0; i < elements; ++i) out[i] = operand_value(operand, i);
  return out;
}

class OpenblasProduct final : public PeerProduct {
 public:
  explicit OpenblasProduct(const GemmBenchShape& s)
      : shape_(s),
        lhs_(values(lhs_of(s).operand, s.m * s.k)),
        rhs_(values(rhs_of(s).operand, s.k * s.n)),
        dst_(s.m * s.n) {}

  void run() override {
    const bool lhs_transposed = shape_.product == Product::weight_gradient,
               rhs_transposed = shape_.product == Product::forward;
    const int m = static_cast<int>(shape_.m), n = static_cast<int>(shape_.n), k = static_cast<int>(shape_.k);
    cblas_sgemm(kRowMajor, lhs_transposed ? kTransposed : kAsIs, rhs_transposed ? kTransposed : kAsIs, m, n, k, 1.0f,
                lhs_.data(), lhs_transposed ? m : k, rhs_.data(), rhs_transposed ? k : n, 0.0f, dst_.data(), n);
  }

  float result(std::size_t row, std::size_t column) const override { return dst_[row * shape_.n + column]; }

 private:
  GemmBenchShape shape_;
  std::vector<float> lhs_, rhs_, dst_;
};

// Integers are 32 bits wide here; a library of 64-bit integers would read beyond them.
bool narrow_integers() { return std::string_view(openblas_get_config()).find("USE64BITINT") == std::string_view::npos; }

std::unique_ptr<PeerProduct> make(const GemmBenchShape& shape) {
  if (!narrow_integers()) return nullptr;
  return std::make_unique<OpenblasProduct>(shape);
}

std::string set_threads(int threads) {
  openblas_set_num_threads(threads);
  const int got = openblas_get_num_threads();
  return got == threads ? "" : "OpenBLAS runs " + std::to_string(got) + " threads at most";
}

}  // namespace

// The name of the core tells which kernels run: OpenBLAS chooses by CPU model and falls back for one it does not know.
Library openblas_library() {
  return {std::string(openblas_get_config()) + ", kernels for " + openblas_get_corename(),
          {{"openblas", true, make}},
          set_threads};
}

}  // namespace halfstep::peers
