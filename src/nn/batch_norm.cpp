// BatchNorm (Ioffe and Szegedy, 2015) of a layer's z. A training step normalises by the columns of its batch, a forward
// pass without a mask by running statistics, which follow the batches of applied steps as PyTorch's do: variances
// unbiased, a tenth of each batch.
#include <algorithm>

#include "base/dtype.hpp"
#include "gemm/gemm.hpp"
#include "nn/norm.hpp"
#include "nn/row_chain.hpp"

namespace halfstep::internal {
namespace {

constexpr float kRunningMomentum = 0.1f;

// Some columns of z over a batch, in L1: at most kBlockColumns.
struct ColumnBlock {
  const KernelTable& kernels;
  const StoredRows& z;
  std::size_t rows, first, columns;
  ColumnStatistics statistics;
  alignas(kCacheLine) float centre[kBlockColumns] = {};

  // Statistics from sums about `centre`, over chunks of rows and then over chunks.
  void measure() {
    alignas(kCacheLine) float sums[kBlockColumns] = {}, squares[kBlockColumns] = {};
    for (std::size_t row = 0; row < rows; row += kSumRows) {
      alignas(kCacheLine) float part_sums[kBlockColumns] = {}, part_squares[kBlockColumns] = {};
      kernels.column_sums[index_of(z.dtype)](std::min(kSumRows, rows - row), columns, z.at(row, first), z.ld, centre,
                                             part_sums, part_squares);
      kernels.add(kBlockColumns, part_sums, sums);
      kernels.add(kBlockColumns, part_squares, squares);
    }
    kernels.batch_statistics(columns, rows, centre, sums, squares, kNormEpsilon, statistics);
  }
  // About the first row, then about the mean that this gives.
  void measure_twice() {
    kernels.to_fp32[index_of(z.dtype)](columns, z.at(0, first), centre);
    measure();
    for (std::size_t i = 0; i < columns; ++i) centre[i] = statistics.mean[i] + statistics.mean_low[i];
    measure();
  }
};

class BatchNorm final : public NormBlock {
 public:
  BatchNorm(const std::string& layer, std::size_t width, const ParameterUse& use) : width_(width) {
    parameters_.push_back(make_vector(layer + ".gamma", width, ParameterRole::gain, use));
    parameters_.push_back(make_vector(layer + ".beta", width, ParameterRole::bias, use));
    parameters_.push_back(make_vector(layer + ".running_mean", width, ParameterRole::statistic, use));
    parameters_.push_back(make_vector(layer + ".running_var", width, ParameterRole::statistic, use));
    for (Parameter& p : parameters_) p.decays = false;
    for (auto* vector : {&mean_, &low_mean_, &rstd_, &variance_}) *vector = AlignedBuffer<float>(pad_columns(width));
    if (use.training) d_gamma_ = AlignedBuffer<float>(pad_columns(width));
    if (use.training) d_beta_ = AlignedBuffer<float>(pad_columns(width));
  }

  std::string describe() const override { return "batch norm"; }
  BlockMemory memory() const override {
    return {4 * mean_.size() * sizeof(float), (d_gamma_.size() + d_beta_.size()) * sizeof(float)};
  }
  void initialise() override {
    constexpr float kValues[] = {1, 0, 0, 1};
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      std::fill_n(parameters_[i].master.begin(), width_, kValues[i]);
      parameters_[i].discard_pending();
    }
  }
  bool by_row() const override { return false; }
  std::size_t least_rows() const override { return 2; }

  void prepare(const Pass& pass, const StoredRows& z) override {
    if (!pass.mask) {
      return pass.kernels().running_statistics(width_, running(0).master.data(), running(1).master.data(), kNormEpsilon,
                                               columns_from(0));
    }
    auto body = [&](std::size_t task, int) {
      const std::size_t first = task * kBlockColumns;
      ColumnBlock block = {pass.kernels(),      z, pass.rows, first, std::min(kBlockColumns, width_ - first),
                           columns_from(first), {}};
      block.measure_twice();
    };
    pass.context.executor.run((width_ + kBlockColumns - 1) / kBlockColumns, body,
                              pass.rows * width_ < kWorthAThread ? 1 : 0);
  }
  void follow(const Pass& pass) override {
    pass.kernels().update_running(width_, pass.rows, columns_from(0), kRunningMomentum, running(0).pending.data(),
                                  running(1).pending.data());
  }

  void read(const RowPart& part, bool, float* x) const override {
    part.kernels().normalise_columns[index_of(part.z.dtype)](
        part.columns, part.z.at(part.row, part.first), columns_from(part.first), gamma().master.data() + part.first,
        beta().master.data() + part.first, x);
  }
  void finish_rows(const KernelTable&, Activation, std::size_t, const float*, std::size_t,
                   const StorageTarget&) const override {}

  void backward_row(const KernelTable& kernels, const StoredRows& z, std::size_t row, float* d) override {
    const std::size_t sums = row / kSumRows * pad_columns(width_);
    kernels.normalise_columns_sums[index_of(z.dtype)](
        width_, z.at(row), columns_from(0), d, parameters_[0].sums.data() + sums, parameters_[1].sums.data() + sums);
  }

  void backward_columns(const Pass& pass, const StoredRows& z, float* d_z, const StorageTarget& d) override {
    const KernelTable& kernels = pass.kernels();
    const std::size_t width = pad_columns(width_), padded = pad_rows(pass.rows);
    float* const totals[] = {d_gamma_.data(), d_beta_.data()};
    for (std::size_t p = 0; p < 2; ++p) {
      std::fill_n(totals[p], width, 0.0f);
      for (std::size_t chunk = 0; chunk < sum_chunks(padded); ++chunk) {
        kernels.add(width, parameters_[p].sums.data() + chunk * width, totals[p]);
      }
    }
    auto body = [&](std::size_t chunk, int) {
      for (std::size_t row = chunk * kSumRows; row < std::min(padded, (chunk + 1) * kSumRows); ++row) {
        float* const here = d_z + row * width;
        if (row < pass.rows) {
          kernels.normalise_columns_backward[index_of(z.dtype)](width_, pass.rows, z.at(row), columns_from(0),
                                                                gamma().master.data(), totals[0], totals[1], here);
        } else {
          std::fill_n(here, width, 0.0f);
        }
        if (row % 2 == 1) kernels.store_rows[index_of(d.dtype)](width, here - width, here, shifted(d, row - 1, 0));
      }
    };
    pass.context.executor.run(sum_chunks(padded), body, padded * width < kWorthAThread ? 1 : 0);
  }

 private:
  const Parameter& beta() const { return parameters_[1]; }
  Parameter& running(std::size_t index) { return parameters_[2 + index]; }
  // From column `first` on, a multiple of 16. The kernels' struct is one for those who write and those who read.
  ColumnStatistics columns_from(std::size_t first) const {
    return {mean_.data() + first, low_mean_.data() + first, rstd_.data() + first, variance_.data() + first};
  }

  std::size_t width_;
  mutable AlignedBuffer<float> mean_, low_mean_, rstd_, variance_;  // of the columns of the batch, padded to 16
  AlignedBuffer<float> d_gamma_, d_beta_;                           // sums over the batch
};

}  // namespace

std::unique_ptr<NormBlock> make_batch_norm(const std::string& layer, std::size_t width, const ParameterUse& use) {
  return std::make_unique<BatchNorm>(layer, width, use);
}

}  // namespace halfstep::internal
