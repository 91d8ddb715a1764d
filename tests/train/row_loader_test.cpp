// Rows that are kept sparse reach the network as dense ones do.
#include "train/row_loader.hpp"

#include <doctest/doctest.h>

#include <numeric>

#include "data/examples.hpp"
#include "kernels/dispatch.hpp"
#include "train/inference.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

// Every seventh number is not as usual, in rows that differ in where.
data::Examples sparse_examples(std::size_t rows, std::size_t features) {
  data::Examples e;
  e.rows = rows;
  e.features = features;
  for (std::size_t i = 0; i < features; ++i) e.usual.push_back(static_cast<float>(i % 5) * 0.25f - 0.5f);
  e.sparse.offsets.push_back(0);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = row % 7; i < features; i += 7) {
      e.sparse.columns.push_back(static_cast<std::uint32_t>(i));
      e.sparse.values.push_back(static_cast<float>(row + 1) * 0.125f);
    }
    e.sparse.offsets.push_back(e.sparse.columns.size());
  }
  return e;
}

data::Examples dense(const data::Examples& sparse) {
  data::Examples e;
  e.rows = sparse.rows;
  e.features = sparse.features;
  for (std::size_t row = 0; row < e.rows; ++row) {
    e.x.insert(e.x.end(), sparse.usual.begin(), sparse.usual.end());
    for (std::size_t i = sparse.sparse.offsets[row]; i < sparse.sparse.offsets[row + 1]; ++i) {
      e.x[row * e.features + sparse.sparse.columns[i]] = sparse.sparse.values[i];
    }
  }
  return e;
}

}  // namespace

TEST_CASE("row_loader: sparse rows give the outputs of the same rows in full") {
  const auto executor = make_executor(2, "");
  const KernelTable& kernels = *isas().front().table;
  GemmContext context(kernels, *executor);
  for (const Dtype dtype : {Dtype::fp32, Dtype::bf16}) {
    for (const std::size_t features : {std::size_t{9}, std::size_t{70}}) {
      Network model({.widths = {features, 20, 3}, .dtype = dtype, .max_rows = 16});
      model.initialise(1, kernels);
      const data::Examples sparse = sparse_examples(37, features);
      const auto outputs = [&](const data::Examples& examples) {
        std::vector<float> out;
        for_each_batch(context, model, examples, {},
                       [&](std::size_t, std::size_t rows, const float* logits, std::size_t ld) {
                         for (std::size_t row = 0; row < rows; ++row)
                           out.insert(out.end(), logits + row * ld, logits + row * ld + 3);
                       });
        return out;
      };
      const std::vector<float> expected = outputs(dense(sparse));
      CHECK(expected.size() == 37 * 3);
      CHECK(expected[0] != expected[3]);  // rows differ
      CHECK(outputs(sparse) == expected);
      std::vector<std::uint32_t> rows(37);
      std::iota(rows.rbegin(), rows.rend(), 0u);
      CHECK(outputs(data::take_rows(sparse, rows)) == outputs(data::take_rows(dense(sparse), rows)));
    }
  }
}
