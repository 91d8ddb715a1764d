#include "nn/row_chain.hpp"

#include <algorithm>

#include "base/dtype.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kWholeRow = 2048;  // a row that is normalised is widened once where two of them stay in L1
constexpr std::size_t kTaskRows = 16;
static_assert(kRowPart % kRandomGroup == 0 && kTaskRows % 2 == 0 && kSumRows % 2 == 0);

template <class Body>
void for_rows(const Pass& pass, std::size_t width, std::size_t rows, std::size_t task_rows, Body body) {
  const int threads = rows * width < kWorthAThread ? 1 : 0;
  pass.context.executor.run((rows + task_rows - 1) / task_rows, body, threads);
}

// Lines that are written soon.
void prefetch_for_write(const std::byte* p, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += kCacheLine) __builtin_prefetch(p + i, 1);
}

bool is_cheap(Activation activation) { return activation == Activation::identity || activation == Activation::relu; }

// The one activation of a chain that normalises by row and has nothing else: two rows can be finished at once.
std::optional<Activation> finishes_at_once(const RowChain& chain, bool training) {
  RowEpilogue rest;
  for (const auto& block : chain.blocks) {
    if (!block->join(rest, training)) return {};
  }
  if (rest.skip || !is_cheap(rest.activation)) return {};
  return rest.activation;
}

}  // namespace

std::optional<RowEpilogue> RowChain::epilogue(bool training) const {
  RowEpilogue epilogue;
  if (norm) return {};
  for (const auto& block : blocks) {
    if (!block->join(epilogue, training)) return {};
  }
  return epilogue;
}

RowEpilogue RowChain::joined() const {
  RowEpilogue all;
  for (const auto& block : blocks) block->join(all, false);
  return all;
}

const DropoutMask* RowChain::relu_mask() const {
  RowEpilogue before;
  if (norm || blocks.size() != 2 || !blocks[0]->join(before, true)) return nullptr;
  return before.has_activation && before.activation == Activation::relu ? blocks[1]->mask() : nullptr;
}

std::string RowChain::describe() const {
  std::string text = norm ? norm->describe() : "";
  for (const auto& block : blocks) {
    const std::string here = block->describe();
    text += (text.empty() || here.empty() ? "" : ", ") + here;
  }
  return text;
}

// To BatchNorm the zero row behind an odd count does not exist, and to the others it is harmless.
std::size_t RowChain::rows_that_count(std::size_t rows) const {
  return norm && !norm->by_row() ? rows : pad_rows(rows);
}

void RowChain::input_of(const RowPart& part, std::size_t index, float* x) const {
  if (norm) {
    norm->read(part, false, x);
  } else {
    part.kernels().to_fp32[index_of(part.z.dtype)](part.padded(), part.z.at(part.row, part.first), x);
  }
  for (std::size_t i = 0; i < index; ++i) blocks[i]->forward(part, x);
}

void RowChain::forward_part(const RowPart& part, bool centred, float* x) const {
  if (centred) {
    norm->read(part, true, x);
    for (const auto& block : blocks) block->forward(part, x);
  } else {
    input_of(part, blocks.size(), x);
  }
  // Padding stays zero even where the activation of zero is not.
  std::fill(x + part.columns, x + part.padded(), 0.0f);
}

void RowChain::forward_pair(const Pass& pass, const StoredRows& z, RowsOperand skip, const StorageTarget& y,
                            std::size_t row) {
  const KernelTable& kernels = pass.kernels();
  if (const DropoutMask* const mask = relu_mask(); mask && pass.mask && y.panels && y.dtype == z.dtype) {
    const RandomPlace place = mask->place(pass, row, 0, z.width);
    return kernels.relu_dropout[index_of(y.dtype)](pad_columns(z.width), z.at(row), z.ld, place,
                                                   round_up(z.width, kRandomGroup), mask->dropped, shifted(y, row, 0));
  }
  alignas(kCacheLine) float wide[2][kWholeRow];
  const bool by_row = norm && norm->by_row(), whole = by_row && z.width <= kWholeRow;
  if (by_row) norm->measure_rows(kernels, z, row, whole ? wide[0] : nullptr, kWholeRow);
  if (whole) {
    if (const auto activation = finishes_at_once(*this, pass.mask.has_value())) {
      return norm->finish_rows(kernels, *activation, row, wide[0], kWholeRow, shifted(y, row, 0));
    }
  }
  const std::size_t step = whole ? z.width : kRowPart, count = rows_that_count(pass.rows);
  for (std::size_t first = 0; first < z.width; first += step) {
    RowPart part = {pass, *this, z, skip, row, first, std::min(step, z.width - first)};
    forward_part(part, whole, wide[0]);
    ++part.row;
    if (part.row < count) {
      forward_part(part, whole, wide[1]);
    } else {
      std::fill_n(wide[1], part.padded(), 0.0f);
    }
    kernels.store_rows[index_of(y.dtype)](part.padded(), wide[0], wide[1], shifted(y, row, first));
  }
}

void RowChain::forward(const Pass& pass, const StoredRows& z, RowsOperand skip, const StorageTarget& y) {
  if (norm) norm->prepare(pass, z);
  const std::size_t rows = pad_rows(pass.rows);
  for_rows(pass, z.width, rows, kTaskRows, [&](std::size_t task, int) {
    const std::size_t end = std::min(rows, (task + 1) * kTaskRows);
    for (std::size_t row = task * kTaskRows; row < end; row += 2) forward_pair(pass, z, skip, y, row);
  });
}

void RowChain::backward_row(const Pass& pass, const StoredRows& z, std::size_t row, Dtype stored, float* d) {
  for (std::size_t first = 0; first < z.width; first += kRowPart) {
    const RowPart part = {pass, *this, z, {}, row, first, std::min(kRowPart, z.width - first)};
    for (std::size_t i = blocks.size(); i-- > 0;) blocks[i]->backward(part, i, stored, d + first);
  }
  if (norm) norm->backward_row(pass.kernels(), z, row, d);
}

void RowChain::backward(const Pass& pass, const StoredRows& z, const float* d_y, float* d_z, const StorageTarget& d,
                        float* sums) {
  const KernelTable& kernels = pass.kernels();
  const std::size_t width = pad_columns(z.width), count = rows_that_count(pass.rows);
  const bool by_column = norm && !norm->by_row();
  const std::span<Parameter> norm_parameters = norm ? norm->parameters() : std::span<Parameter>();
  for_rows(pass, z.width, pad_rows(pass.rows), kSumRows, [&](std::size_t chunk, int) {
    std::fill_n(sums + chunk * width, width, 0.0f);
    for (Parameter& p : norm_parameters) {
      if (p.is_trained()) std::fill_n(p.sums.data() + chunk * width, width, 0.0f);
    }
    const std::size_t end = std::min(count, (chunk + 1) * kSumRows);
    for (std::size_t row = chunk * kSumRows; row < end; ++row) {
      float* const here = d_z + row * width;
      if (d_z != d_y) std::copy_n(d_y + row * width, width, here);
      if (!by_column) {
        prefetch_for_write(static_cast<const std::byte*>(d.rows) + row * d.ld * size_of(d.dtype),
                           width * size_of(d.dtype));
      }
      backward_row(pass, z, row, d.dtype, here);
      if (by_column) continue;
      kernels.add(width, here, sums + chunk * width);
      if (row % 2 == 1) kernels.store_rows[index_of(d.dtype)](width, here - width, here, shifted(d, row - 1, 0));
    }
  });
  // Their sums stay zero: what a bias adds to a column, BatchNorm takes away.
  if (by_column) norm->backward_columns(pass, z, d_z, d);
}

}  // namespace halfstep::internal
