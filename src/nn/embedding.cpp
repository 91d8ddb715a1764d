#include "nn/embedding.hpp"

#include <algorithm>
#include <cmath>

#include "base/dtype.hpp"
#include "base/rng.hpp"
#include "nn/row_chain.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kTaskSamples = 16;
constexpr std::size_t kPartColumns = 128;  // whose scales for all members stay in L1 from row to row
static_assert(kTaskSamples % 2 == 0 && kPartColumns % kLanes == 0);

int threads_for(std::size_t elements) { return elements < kWorthAThread ? 1 : 0; }

}  // namespace

Embedding::Embedding(const NetworkShape& shape) : width_(shape.embedding), members_(shape.members) {
  std::size_t inputs = 0, rows = 0, periodic = 0;
  for (const ColumnEmbedding& column : shape.embedded) {
    columns_.push_back({column, inputs, rows, periodic, {column.periodic, width_}});
    inputs += column.inputs();
    rows += columns_.back().rows();
    periodic += columns_.back().periodic.size();
  }
  const std::size_t samples = pad_rows(shape.max_rows), out = pad_rows(shape.max_rows * members_);
  ParameterUse use = {.training = shape.training, .rows = 0};
  table_ = make_vector("embedding.table", rows * width_, ParameterRole::gain, use);
  if (periodic > 0) periodic_ = make_vector("embedding.periodic", periodic, ParameterRole::gain, use);
  use.rows = samples;
  if (members_ > 1) scale_ = make_vector("embedding.scale", members_ * width(), ParameterRole::gain, use);
  table_.embeds = periodic_.embeds = scale_.embeds = true;
  knots_ = AlignedBuffer<float>(rows * width_);
  const std::size_t ld = pad_columns(width());
  e_ = AlignedBuffer<float>(samples * ld);
  zeros_ = AlignedBuffer<float>(ld);
  if (members_ > 1) scales_ = AlignedBuffer<float>(members_ * ld);
  y_ = make_activations(out, width(), shape.dtype_of(0), shape.training);
  if (!shape.training) return;
  d_ = make_activations(out, width(), Dtype::fp32, false);
  sums_ = AlignedBuffer<float>(sum_chunks(out) * ld);
  if (members_ > 1) scale_sums_ = AlignedBuffer<float>(sum_chunks(samples) * members_ * ld);
  slopes_ = AlignedBuffer<float>(2 * rows * width_);
  targets_ = {{"embedding.d", d_.target(), sums_.data()}};
}

std::string Embedding::describe() const {
  std::string text = std::to_string(columns_.size()) + " columns embedded in " + std::to_string(width_);
  std::size_t most = 0;
  for (const Column& column : columns_) most = std::max(most, column.is.periodic);
  if (most > 0) text += " with " + std::to_string(most) + " periodic functions";
  return members_ > 1 ? text + ", " + std::to_string(members_) + " members" : text;
}

void Embedding::list_parameters(std::vector<Parameter*>& list) {
  list.push_back(&table_);
  if (has_periodic()) list.push_back(&periodic_);
  if (members_ > 1) list.push_back(&scale_);
}

void Embedding::list_signals(std::vector<StoredSignal>& list) const {
  using enum StoredSignal::Kind;
  list.push_back({"embedding.output", embedded, y_.dtype, y_.rows.data(), y_.ld, y_.panels.data(), y_.panel_stride});
}

BlockMemory Embedding::memory() const {
  return {y_.bytes() + sizeof(float) * (e_.size() + knots_.size() + zeros_.size() + scales_.size()),
          d_.bytes() + sizeof(float) * (sums_.size() + slopes_.size() + scale_sums_.size())};
}

// A number begins as a linear function, and its periodic ones, as wide as PyTorch makes one (uniform, 1 / sqrt(width));
// categories as far from each other as that. The members' scales are normal, one number for each column's vector.
void Embedding::initialise(std::uint64_t seed) {
  const Rng rng(seed, 0x1800), of_scale(seed, 0x1801), of_periodic(seed, 0x1802);
  const float bound = 1.0f / std::sqrt(static_cast<float>(width_));
  for (const Column& column : columns_) {
    for (std::size_t i = column.first * width_; i < (column.first + column.rows()) * width_; ++i) {
      const bool slope = i < (column.first + column.segments()) * width_;
      table_.master[i] = slope ? 0.0f : (2.0f * rng.uniform(i) - 1.0f) * bound;
    }
    if (column.is.periodic == 0) continue;
    initialise_periodic(column.periodic, of_periodic, column.first_periodic,
                        periodic_.master.data() + column.first_periodic);
  }
  for (std::size_t i = 0; members_ > 1 && i < members_ * width(); ++i) scale_.master[i] = of_scale.normal(i / width_);
}

// What is no number, or far below, is missing. Beyond the knots the first and the last segment go on, for the length of
// one.
Embedding::Where Embedding::find(const Column& column, float place) {
  if (!(place > 0.5f * kMissingPlace)) return {true, 0, 0};
  const auto last = static_cast<float>(column.is.size - 1);
  place = std::clamp(place, -1.0f, last + 2.0f);
  const float segment = std::clamp(std::floor(place), 0.0f, last);
  return {false, static_cast<std::size_t>(segment), place - segment};
}

std::size_t Embedding::code_of(const Column& column, float code) {
  return code > 0 ? static_cast<std::size_t>(std::min(code, static_cast<float>(column.is.size - 1))) : 0;
}

void Embedding::add_up_slopes(const Pass& pass) {
  const auto body = [&](std::size_t c, int) {
    const Column& column = columns_[c];
    if (!column.is.number) return;
    float* knot = knots_.data() + column.first * width_;
    std::copy_n(table(column.first + column.is.size + 1), width_, knot);
    for (std::size_t s = 0; s + 1 < column.is.size; ++s, knot += width_) {
      const float* const slope = table(column.first + s);
      for (std::size_t i = 0; i < width_; ++i) knot[width_ + i] = knot[i] + slope[i];
    }
  };
  pass.context.executor.run(columns_.size(), body, threads_for(knots_.size()));
}

// A row of x.
void Embedding::embed(const float* x, float* e) const {
  for (const Column& column : columns_) {
    if (!column.is.number) {
      std::copy_n(table(column.first + code_of(column, x[column.input])), width_, e);
    } else if (const Where at = find(column, x[column.input + 1]); at.missing) {
      std::copy_n(table(column.first + column.is.size + 2), width_, e);
    } else {
      const float value = x[column.input];
      const float* const w = table(column.first + column.is.size);
      const float* const slope = table(column.first + at.segment);
      const float* const knot = knots_.data() + (column.first + at.segment) * width_;
      for (std::size_t i = 0; i < width_; ++i) e[i] = value * w[i] + (knot[i] + at.share * slope[i]);
      if (column.is.periodic > 0) {
        add_periodic(column.periodic, periodic_.master.data() + column.first_periodic, value, e);
      }
    }
    e += width_;
  }
}

void Embedding::forward(const Pass& pass, const Activations& x, const SideTasks&) {
  add_up_slopes(pass);
  copy_scales();
  const std::size_t ld = pad_columns(width()), rows = pass.rows * members_;
  const auto body = [&](std::size_t task, int) {
    const std::size_t first = task * kTaskSamples, end = std::min(pass.rows, first + kTaskSamples);
    for (std::size_t s = first; s < end; ++s) {
      embed(reinterpret_cast<const float*>(x.rows.data()) + s * x.ld, e_.data() + s * ld);
    }
    const std::size_t last = end == pass.rows ? pad_rows(rows) : end * members_;
    for (std::size_t row = first * members_; row < last; row += 2) store_pair(pass.kernels(), row, rows);
  };
  pass.context.executor.run((pass.rows + kTaskSamples - 1) / kTaskSamples, body, threads_for(rows * ld));
}

std::size_t Embedding::parts() const { return (width() + kPartColumns - 1) / kPartColumns; }

Embedding::Part Embedding::part(std::size_t index) const {
  const std::size_t first = index * kPartColumns, valid = std::min(kPartColumns, width() - first);
  return {first, pad_columns(valid), valid};
}

void Embedding::copy_scales() {
  for (std::size_t p = 0; members_ > 1 && p < parts(); ++p) {
    const auto [first, columns, valid] = part(p);
    float* const to = scales_.data() + members_ * first;
    for (std::size_t m = 0; m < members_; ++m) {
      std::copy_n(scale_.master.data() + m * width() + first, valid, to + m * columns);
    }
  }
}

// Two rows of the output; zero behind the last row, as behind the last column.
void Embedding::store_pair(const KernelTable& kernels, std::size_t row, std::size_t rows) {
  const std::size_t ld = pad_columns(width());
  const bool both = row + 1 < rows;
  const float* const e0 = e_.data() + row / members_ * ld;
  const float* const e1 = both ? e_.data() + (row + 1) / members_ * ld : zeros_.data();
  if (members_ == 1) return kernels.store_rows[index_of(y_.dtype)](ld, e0, e1, shifted(y_.target(), row, 0));
  for (std::size_t p = 0; p < parts(); ++p) {
    const auto [first, columns, valid] = part(p);
    const float* const scales = scales_.data() + members_ * first;
    const float* const scale1 = both ? scales + (row + 1) % members_ * columns : zeros_.data();
    kernels.store_scaled[index_of(y_.dtype)](columns, e0 + first, scales + row % members_ * columns, e1 + first, scale1,
                                             shifted(y_.target(), row, first));
  }
}

BackwardEpilogue Embedding::gradient_epilogue(const Pass&, const GradientTargets& targets) {
  BackwardEpilogue e = {};
  e.activation = Activation::identity;
  e.saved = y_.rows.data();
  e.saved_ld = y_.ld;
  e.saved_dtype = y_.dtype;
  e.sums = targets[0].sums;
  e.d = targets[0].d;
  return e;
}

void Embedding::backward(const Pass& pass, const Activations& x, Block*, bool accumulate, StageWatch* watch) {
  enter(watch, StepStage::weight_gradient);
  if (members_ > 1) {
    pass.context.executor.run(
        sum_chunks(pass.rows) * parts(), [&](std::size_t task, int) { scale_gradient(pass, task); },
        threads_for(pass.rows * members_ * width()));
    sum_vector_gradient(pass.kernels(), scale_, pass.rows, accumulate);
  }
  pass.context.executor.run(
      columns_.size(), [&](std::size_t c, int) { column_gradient(pass, c, x, accumulate); },
      threads_for(pass.rows * width()));
  table_.squares[0] = pass.kernels().sum_squares(table_.size(), table_.gradient.data());
  if (has_periodic()) {
    periodic_.squares[0] = pass.kernels().sum_squares(periodic_.size(), periodic_.gradient.data());
  }
}

// The gradient by some columns' scales from a chunk of rows; e becomes the gradient by it.
void Embedding::scale_gradient(const Pass& pass, std::size_t task) {
  const std::size_t chunk = task / parts(), ld = pad_columns(width());
  const std::size_t end = std::min(pass.rows, (chunk + 1) * kSumRows);
  const auto [first, columns, valid] = part(task % parts());
  float* const sums = scale_sums_.data() + members_ * (chunk * ld + first);
  std::fill_n(sums, members_ * columns, 0.0f);
  for (std::size_t s = chunk * kSumRows; s < end; ++s) {
    pass.kernels().scaled_backward(columns, members_, scales_.data() + members_ * first, d_row(s * members_) + first,
                                   d_.ld, e_.data() + s * ld + first, sums);
  }
  float* const out = scale_.sums.data() + chunk * scale_.size() + first;
  for (std::size_t m = 0; m < members_; ++m) std::copy_n(sums + m * columns, valid, out + m * width());
}

// Sums over rows in their order, whatever the threads and the parts of a step: the sums of a number's segments are kept
// from part to part, and the gradient by its slopes made from them anew.
void Embedding::column_gradient(const Pass& pass, std::size_t index, const Activations& x, bool accumulate) {
  const Column& column = columns_[index];
  const std::size_t n = column.is.size, ld = pad_columns(width());
  float* const whole = slopes_.data() + 2 * column.first * width_;  // of the rows in each segment
  float* const shared = whole + n * width_;                         // the same, times their share of it
  if (!accumulate) {
    std::fill_n(gradient(column.first), column.rows() * width_, 0.0f);
    if (column.is.number) std::fill_n(whole, 2 * n * width_, 0.0f);
    if (column.is.periodic > 0) {
      std::fill_n(periodic_.gradient.data() + column.first_periodic, column.periodic.size(), 0.0f);
    }
  }
  for (std::size_t s = 0; s < pass.rows; ++s) {
    const float* const row = reinterpret_cast<const float*>(x.rows.data()) + s * x.ld + column.input;
    const float* const g = (members_ > 1 ? e_.data() + s * ld : d_row(s)) + index * width_;
    if (!column.is.number) {
      add(1, g, gradient(column.first + code_of(column, row[0])));
    } else if (const Where at = find(column, row[1]); at.missing) {
      add(1, g, gradient(column.first + n + 2));
    } else {
      add(row[0], g, gradient(column.first + n));
      add(1, g, whole + at.segment * width_);
      add(at.share, g, shared + at.segment * width_);
      if (column.is.periodic > 0) {
        add_periodic_gradient(column.periodic, periodic_.master.data() + column.first_periodic, row[0], g,
                              periodic_.gradient.data() + column.first_periodic);
      }
    }
  }
  if (!column.is.number) return;
  float* const above = gradient(column.first + n + 1);  // of all segments above: in the end that by b
  std::fill_n(above, width_, 0.0f);
  for (std::size_t segment = n; segment-- > 0;) {
    float* const slope = gradient(column.first + segment);
    for (std::size_t i = 0; i < width_; ++i) {
      slope[i] = shared[segment * width_ + i] + above[i];
      above[i] += whole[segment * width_ + i];
    }
  }
}

void Embedding::add(float factor, const float* x, float* sum) const {
  for (std::size_t i = 0; i < width_; ++i) sum[i] += factor * x[i];
}

}  // namespace halfstep::internal
