#pragma once
#include "gemm/operands.hpp"
#include "gemm/plan.hpp"
#include "gemm/product.hpp"

namespace halfstep::internal {

struct TileCall;

// Which elements of a product are wanted: all, or of a square one those in the panels of 16 columns on the diagonal and
// to the right of it, which tell the rest where it is symmetric.
enum class Wanted : std::uint8_t { all, upper };

// Some columns of one strip of a result: [16][columns] fp32, of which as many rows were written as hold something
// (WeightLayout::strip_rows).
struct StripPart {
  std::size_t strip, column, columns;
  float* sums;
};

// left^T right of two matrices in panels, both of one storage type and of `rows` rows, an even count: of none it is
// zero. The result is fp32, in strips [layout.out][layout.in]. Of the upper half alone the parts on the diagonal are
// narrower, and stand where their block begins.
class StripsProduct : public MatrixProduct {
 public:
  std::size_t tasks() const override { return plan_.tasks; }
  int threads() const override { return plan_.threads; }
  void run_task(std::size_t task, int worker) const override;

 protected:
  StripsProduct(GemmContext&, std::size_t rows, const WeightLayout&, PanelsOperand left, PanelsOperand right,
                float* result, bool accumulate, Wanted wanted);
  ~StripsProduct() = default;
  StripsProduct(const StripsProduct&) = default;
  StripsProduct& operator=(const StripsProduct&) = delete;

  // What is done to a part, while it is in cache, by the task that has written all its sums.
  virtual void finish(const StripPart&) const = 0;

  GemmContext& ctx_;
  WeightLayout layout_;

 private:
  struct BlockOfK;
  std::size_t panels_before(std::size_t strip, std::size_t block) const;
  void run_block(const BlockOfK&, std::size_t block, const Scratch&) const;
  void run_strip(const TileCall& call, const void* lhs, std::size_t strip, float* out, std::size_t& number) const;

  const GemmFamily& family_;
  PanelsOperand left_, right_;
  float* result_;
  bool accumulate_;
  Wanted wanted_;
  StripsPlan plan_;
};

}  // namespace halfstep::internal
