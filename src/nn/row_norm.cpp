// Normalisation of each row: layer norm and RMS norm.
#include <algorithm>

#include "base/dtype.hpp"
#include "gemm/gemm.hpp"
#include "nn/norm.hpp"

namespace halfstep::internal {
namespace {

class RowNorm final : public NormBlock {
 public:
  RowNorm(Norm kind, const std::string& layer, std::size_t width, const ParameterUse& use)
      : kind_(kind), width_(width), statistics_(use.rows) {
    parameters_.push_back(make_vector(layer + ".gamma", width, ParameterRole::gain, use));
    if (kind == Norm::layer) parameters_.push_back(make_vector(layer + ".beta", width, ParameterRole::bias, use));
    for (Parameter& p : parameters_) p.decays = false;
  }

  std::string describe() const override { return std::string(name(kind_)) + " norm"; }
  BlockMemory memory() const override { return {statistics_.size() * sizeof(RowStatistics), 0}; }
  void initialise() override {
    std::fill_n(parameters_[0].master.begin(), width_, 1.0f);
    if (parameters_.size() > 1) std::fill_n(parameters_[1].master.begin(), width_, 0.0f);
  }
  bool by_row() const override { return true; }

  void measure_rows(const KernelTable& kernels, const StoredRows& z, std::size_t row, float* centred,
                    std::size_t centred_ld) override {
    kernels.row_statistics[index_of(z.dtype)](kind_, width_, z.at(row), z.ld, kNormEpsilon, centred, centred_ld,
                                              &statistics_[row]);
  }

  void read(const RowPart& part, bool centred, float* x) const override {
    const KernelTable& kernels = part.kernels();
    const float *gamma = gamma_from(part.first), *beta = beta_from(part.first);
    RowStatistics statistics = statistics_[part.row];
    if (!centred) {
      return kernels.normalise[index_of(part.z.dtype)](part.columns, part.z.at(part.row, part.first), statistics, gamma,
                                                       beta, x);
    }
    statistics.mean = 0;
    kernels.normalise[index_of(Dtype::fp32)](part.columns, x, statistics, gamma, beta, x);
  }

  void finish_rows(const KernelTable& kernels, Activation activation, std::size_t row, const float* centred,
                   std::size_t centred_ld, const StorageTarget& y) const override {
    kernels.normalise_rows[index_of(y.dtype)](activation, width_, centred, centred_ld, &statistics_[row], gamma_from(0),
                                              beta_from(0), y);
  }

  void backward_row(const KernelTable& kernels, const StoredRows& z, std::size_t row, float* d) override {
    const std::size_t sums = row / kSumRows * pad_columns(width_);
    kernels.normalise_backward[index_of(z.dtype)](kind_, width_, z.at(row), statistics_[row], gamma_from(0), d,
                                                  parameters_[0].sums.data() + sums,
                                                  parameters_.size() > 1 ? parameters_[1].sums.data() + sums : nullptr);
  }

 private:
  const float* gamma_from(std::size_t first) const { return gamma().master.data() + first; }
  const float* beta_from(std::size_t first) const {
    return parameters_.size() > 1 ? parameters_[1].master.data() + first : nullptr;
  }

  Norm kind_;
  std::size_t width_;
  AlignedBuffer<RowStatistics> statistics_;  // of each row of z
};

}  // namespace

std::unique_ptr<NormBlock> make_row_norm(Norm kind, const std::string& layer, std::size_t width,
                                         const ParameterUse& use) {
  return std::make_unique<RowNorm>(kind, layer, width, use);
}

}  // namespace halfstep::internal
