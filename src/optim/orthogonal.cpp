#include "optim/orthogonal.hpp"

#include <algorithm>
#include <cmath>

namespace halfstep::internal {
namespace {

constexpr std::size_t kBf16 = 2;  // bytes
constexpr std::size_t kWorthBoth = std::size_t{1} << 14;

// An iteration maps singular values s of at most `reach` to x p(y) with x = s / reach and y = 2 x^2 - 1. Powers of y
// and not of x, for their coefficients are small: the error of bf16 is multiplied by 13 and not by 600. Each p comes
// closest to 1 (Remez) on what may come in: the first on 1/40 to 1, the second on what the first makes of that, as
// Amsel et al. (2025, "The Polar Express") show to be the best that a chain can do. The first is of degree 9 in s, by
// three products of which all are symmetric and one more; the second of degree 5, by two and one more.
struct Iteration {
  double reach;  // of the first it is measured
  double p[5];
  bool is_quadratic() const { return p[3] == 0 && p[4] == 0; }
};
constexpr Iteration kIterations[] = {
    {1, {2.024215, 2.531165, -7.533109, -7.842612, 12.514169}},
    {1.693828, {1.280789, -1.593263, 1.564711, 0, 0}},
};
constexpr std::size_t kCount = std::size(kIterations);
// Rounding moves singular values, and p leaves 1 fast beyond its reach.
constexpr double kSafety = 1.01;

// p of a Gram matrix G over reach, from G and G^2, with a = 2 / reach^2: y = a G - 1 is never made, only its square,
// and what is its factor in y^2 (c4 y^2 + c3 y + c2) + (c1 y + c0): a number where c4 and c3 are 0.
struct Mix {
  float square_of_y2, gram_of_y2;
  float square_of_factor, gram_of_factor, one_of_factor;
  float gram, one;

  Mix(const Iteration& i, double reach) {
    const double a = 2 / (reach * reach), *c = i.p;
    square_of_y2 = static_cast<float>(a * a);
    gram_of_y2 = static_cast<float>(-2 * a);
    square_of_factor = static_cast<float>(c[4] * a * a / reach);
    gram_of_factor = static_cast<float>((c[3] - 2 * c[4]) * a / reach);
    one_of_factor = static_cast<float>((c[4] - c[3] + c[2]) / reach);
    gram = static_cast<float>(c[1] * a / reach);
    one = static_cast<float>((c[0] - c[1]) / reach);
  }
};

WeightLayout square_of(const WeightLayout& layout) {
  const std::size_t n = std::min(layout.out, layout.in);
  return {n, n};
}

void zero_rows_behind(const WeightLayout& layout, const StripPart& part) {
  std::fill(part.sums + layout.strip_rows(part.strip) * part.columns, part.sums + kLanes * part.columns, 0.0f);
}

void add_to_diagonal(const WeightLayout& square, const StripPart& part, float value, float* values) {
  const std::size_t first = part.strip * kLanes;
  if (part.column != first) return;
  for (std::size_t i = 0; i < std::min(kLanes, square.out - first); ++i) values[i * part.columns + i] += value;
}

// A part in both packed forms. Those of a symmetric matrix are one: the second is its mirror image.
void pack_part(const KernelTable& kernels, const WeightLayout& layout, const StripPart& part, std::byte* forward,
               std::byte* backward) {
  kernels.pack_strip[index_of(Dtype::bf16)](
      part.columns, part.sums, forward + (part.strip * layout.forward_panel() + part.column * kLanes) * kBf16,
      backward + (part.column / kLanes * layout.backward_panel() + part.strip * kLanes * kLanes) * kBf16,
      layout.backward_panel());
}

PanelsOperand bf16_panels(const AlignedBuffer<std::byte>& panels, std::size_t stride) {
  return {panels.data(), stride, Dtype::bf16};
}

}  // namespace

Orthogonal::Orthogonal(std::span<const WeightLayout> layouts) {
  std::size_t whole = 0, square = 0, blocks = 0;
  for (const WeightLayout& layout : layouts) {
    whole = std::max(whole, layout.size());
    square = std::max(square, square_of(layout).size());
    blocks = std::max(blocks, layout.strips() * layout.blocks());
  }
  for (auto* floats : {&gram_, &square_}) *floats = AlignedBuffer<float>(square);
  for (auto* panels : {&gram_panels_, &factors_[0], &factors_[1]}) *panels = AlignedBuffer<std::byte>(square * kBf16);
  for (auto* packed : {&forward_, &backward_, &spare_}) *packed = AlignedBuffer<std::byte>(whole * kBf16);
  whole_ = AlignedBuffer<float>(whole);
  squares_ = AlignedBuffer<double>(blocks);
}

std::size_t Orthogonal::memory_bytes() const {
  return sizeof(float) * (whole_.size() + gram_.size() + square_.size()) + forward_.size() + backward_.size() +
         spare_.size() + gram_panels_.size() + factors_[0].size() + factors_[1].size() +
         sizeof(double) * squares_.size();
}

// One matrix on its way.
struct Orthogonal::Run {
  Orthogonal& o;
  GemmContext& context;
  const WeightLayout whole, square;
  const bool is_wide;  // no more rows than columns

  Run(Orthogonal& orthogonal, GemmContext& ctx, const WeightLayout& layout)
      : o(orthogonal), context(ctx), whole(layout), square(square_of(layout)), is_wide(layout.out <= layout.in) {}

  StripPart part_of(const WeightLayout& layout, float* values, std::size_t strip, std::size_t block) const {
    return {strip, block * kBlockColumns, layout.block_columns(block), values + layout.block_offset(strip, block)};
  }
  double& squares_at(const WeightLayout& layout, const StripPart& part) const {
    return o.squares_[part.strip * layout.blocks() + part.column / kBlockColumns];
  }
  template <class F>
  void each_part(const F& body) const {
    const std::size_t blocks = whole.blocks();
    context.executor.run(
        whole.strips() * blocks,
        [&](std::size_t task, int) { body(part_of(whole, o.whole_.data(), task / blocks, task % blocks)); },
        whole.size() < kWorthBoth ? 1 : 0);
  }

  // The matrix, and the sum of its squares.
  double gather(Fill fill) const {
    each_part([&](const StripPart& part) {
      fill(part.strip, part.column / kBlockColumns, part.sums);
      zero_rows_behind(whole, part);
      squares_at(whole, part) = context.kernels.sum_squares(kLanes * part.columns, part.sums);
    });
    double sum = 0;
    for (std::size_t i = 0; i < whole.strips() * whole.blocks(); ++i) sum += o.squares_[i];
    return sum;
  }
  void zero(See see) const {
    each_part([&](const StripPart& part) {
      std::fill_n(part.sums, kLanes * part.columns, 0.0f);
      see(part);
    });
  }
  // X: the matrix over its norm.
  void normalise(float factor) const {
    each_part([&](const StripPart& part) {
      for (std::size_t i = 0; i < kLanes * part.columns; ++i) part.sums[i] *= factor;
      pack_part(context.kernels, whole, part, o.forward_.data(), o.backward_.data());
    });
  }

  PanelsOperand forward() const { return bf16_panels(o.forward_, whole.forward_panel()); }
  PanelsOperand backward() const { return bf16_panels(o.backward_, whole.backward_panel()); }
  PanelsOperand in_square(const AlignedBuffer<std::byte>& panels) const {
    return bf16_panels(panels, square.forward_panel());
  }
  float* gram_at(const StripPart& part) const {
    return o.gram_.data() + square.block_offset(part.strip, part.column / kBlockColumns);
  }

  // G = X X^T or X^T X, whichever is smaller.
  void multiply_by_itself() const {
    const auto finish = [&](const StripPart& part) {
      zero_rows_behind(square, part);
      pack_part(context.kernels, square, part, o.gram_panels_.data(), o.gram_panels_.data());
    };
    const PanelsOperand x = is_wide ? forward() : backward();
    PartsProduct product(context, pad_rows(is_wide ? whole.in : whole.out), square, x, x, o.gram_.data(), Wanted::upper,
                         finish);
    halfstep::internal::run(context, product);
  }
  template <class F>
  void square_gram(const F& then) const {
    const auto finish = [&](const StripPart& part) {
      zero_rows_behind(square, part);
      then(part);
    };
    const PanelsOperand gram = in_square(o.gram_panels_);
    PartsProduct product(context, pad_rows(square.in), square, gram, gram, o.square_.data(), Wanted::upper, finish);
    halfstep::internal::run(context, product);
  }
  // Both factors of a part, from G^2.
  void mix(const Mix& m, const StripPart& part) const {
    alignas(kCacheLine) float y2[kLanes * kBlockColumns], factor[kLanes * kBlockColumns];
    const float* const gram = gram_at(part);
    for (std::size_t i = 0; i < kLanes * part.columns; ++i) {
      y2[i] = m.square_of_y2 * part.sums[i] + m.gram_of_y2 * gram[i];
      factor[i] = m.square_of_factor * part.sums[i] + m.gram_of_factor * gram[i];
    }
    add_to_diagonal(square, part, 1, y2);
    add_to_diagonal(square, part, m.one_of_factor, factor);
    const StripPart parts[] = {{part.strip, part.column, part.columns, y2},
                               {part.strip, part.column, part.columns, factor}};
    for (std::size_t i = 0; i < 2; ++i) {
      pack_part(context.kernels, square, parts[i], o.factors_[i].data(), o.factors_[i].data());
    }
  }

  // The largest singular value of X, at most so much above it: the eighth root of the sum of all their eighth powers.
  double square_and_measure() const {
    square_gram([&](const StripPart& part) {
      double sum = 2 * context.kernels.sum_squares(kLanes * part.columns, part.sums);
      for (std::size_t i = 0; part.column == part.strip * kLanes && i < kLanes; ++i) {
        sum -= context.kernels.sum_squares(kLanes, part.sums + i * part.columns);
      }
      squares_at(square, part) = sum;
    });
    double sum = 0;
    each_upper([&](std::size_t strip, std::size_t block) { sum += o.squares_[strip * square.blocks() + block]; });
    return std::sqrt(std::sqrt(std::sqrt(sum)));
  }
  template <class F>
  void each_upper(const F& body) const {
    for (std::size_t strip = 0; strip < square.strips(); ++strip) {
      for (std::size_t block = strip / kMostPanels; block < square.blocks(); ++block) body(strip, block);
    }
  }
  void mix_all(const Mix& m) const {
    const auto mix_strip = [&](std::size_t strip, int) {
      for (std::size_t block = strip / kMostPanels; block < square.blocks(); ++block) {
        StripPart part = part_of(square, o.square_.data(), strip, block);
        const std::size_t before = std::max(strip * kLanes, part.column) - part.column;
        part.column += before;
        part.columns -= before;
        mix(m, part);
      }
    };
    context.executor.run(square.strips(), mix_strip, square.size() < kWorthBoth ? 1 : 0);
  }

  void finish_quadratic(const Mix& m, const StripPart& part) const {
    const float* const gram = gram_at(part);
    const float of_square = m.one_of_factor * m.square_of_y2, of_gram = m.one_of_factor * m.gram_of_y2 + m.gram;
    for (std::size_t i = 0; i < kLanes * part.columns; ++i) part.sums[i] = of_square * part.sums[i] + of_gram * gram[i];
    add_to_diagonal(square, part, m.one_of_factor + m.one, part.sums);
    pack_part(context.kernels, square, part, o.factors_[0].data(), o.factors_[0].data());
  }

  // p(G). One that takes a product may stand where G did, which that product does not read.
  void make_polynomial(const Iteration& iteration, bool first) const {
    multiply_by_itself();
    const double reach = kSafety * (first ? square_and_measure() : iteration.reach);
    const Mix m(iteration, reach);
    if (iteration.is_quadratic() && !first) {
      o.polynomial_ = &o.factors_[0];
      return square_gram([&](const StripPart& part) { finish_quadratic(m, part); });
    }
    o.polynomial_ = &o.gram_panels_;
    if (first) {
      mix_all(m);
    } else {
      square_gram([&](const StripPart& part) { mix(m, part); });
    }
    const auto finish = [&](const StripPart& part) {
      zero_rows_behind(square, part);
      const float* const gram = gram_at(part);
      for (std::size_t i = 0; i < kLanes * part.columns; ++i) part.sums[i] += m.gram * gram[i];
      add_to_diagonal(square, part, m.one, part.sums);
      pack_part(context.kernels, square, part, o.gram_panels_.data(), o.gram_panels_.data());
    };
    PartsProduct product(context, pad_rows(square.in), square, in_square(o.factors_[0]), in_square(o.factors_[1]),
                         o.square_.data(), Wanted::upper, finish);
    halfstep::internal::run(context, product);
  }

  // p(G) X, or X p(G).
  void multiply(See see) const {
    const PanelsOperand p = in_square(*o.polynomial_);
    PartsProduct product(context, pad_rows(square.in), whole, is_wide ? p : forward(), is_wide ? backward() : p,
                         o.whole_.data(), Wanted::all, see);
    halfstep::internal::run(context, product);
  }
  // That as the next X. One form of X is being read.
  void go_on() const {
    AlignedBuffer<std::byte>& read = is_wide ? o.backward_ : o.forward_;
    std::byte* const forward = is_wide ? o.forward_.data() : o.spare_.data();
    std::byte* const backward = is_wide ? o.spare_.data() : o.backward_.data();
    multiply([&](const StripPart& part) {
      zero_rows_behind(whole, part);
      pack_part(context.kernels, whole, part, forward, backward);
    });
    std::swap(read, o.spare_);
  }
};

void Orthogonal::run(GemmContext& context, const WeightLayout& layout, Fill fill, See see) {
  constexpr double kLeast = 0x1p-120, kMost = 0x1p120;  // norms with a reciprocal that is normal
  const Run on_way(*this, context, layout);
  const double norm = std::sqrt(on_way.gather(fill));
  if (!(norm > kLeast && norm < kMost)) return on_way.zero(see);
  on_way.normalise(static_cast<float>(1 / norm));
  for (std::size_t i = 0; i < kCount; ++i) {
    on_way.make_polynomial(kIterations[i], i == 0);
    i + 1 < kCount ? on_way.go_on() : on_way.multiply(see);
  }
}

}  // namespace halfstep::internal
