#include "data/sparse_recipe.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "data/standardise.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kListed = 5;  // indices that a note names

// Of the values of one index that stand in the file.
struct Seen {
  std::size_t count = 0;  // that are not zero
  double largest = 0;     // magnitude
  double only = 0;        // the one value there is, unless
  bool different = false;
  double sum = 0, squares = 0;  // of values over the largest, so that nothing overflows
};

template <class Visit>
void each_entry(const SparseRows<double>& sparse, const std::vector<std::uint32_t>& rows, Visit visit) {
  for (const std::uint32_t row : rows) {
    for (std::size_t i = sparse.offsets[row]; i < sparse.offsets[row + 1]; ++i) {
      if (sparse.values[i] != 0) visit(sparse.columns[i], sparse.values[i]);
    }
  }
}

std::vector<Seen> look_at(const SparseRows<double>& sparse, const std::vector<std::uint32_t>& rows, std::size_t width) {
  std::vector<Seen> seen(width);
  each_entry(sparse, rows, [&](std::uint32_t column, double value) {
    Seen& s = seen[column];
    s.different = s.different || (s.count > 0 && value != s.only);
    s.only = value;
    s.largest = std::max(s.largest, std::abs(value));
    ++s.count;
  });
  each_entry(sparse, rows,
             [&](std::uint32_t column, double value) { seen[column].sum += value / seen[column].largest; });
  const auto n = static_cast<double>(rows.size());
  each_entry(sparse, rows, [&](std::uint32_t column, double value) {
    const double d = value / seen[column].largest - seen[column].sum / n;
    seen[column].squares += d * d;
  });
  return seen;
}

std::string list_indices(const std::vector<std::size_t>& indices) {
  std::string text;
  for (std::size_t i = 0; i < std::min(kListed, indices.size()); ++i) {
    text += (i ? ", " : "") + std::to_string(indices[i]);
  }
  const std::size_t more = indices.size() - std::min(kListed, indices.size());
  return more > 0 ? text + " and " + std::to_string(more) + " more" : text;
}

// Indices beyond the model's, as a file has them.
struct Unknown {
  std::size_t rows = 0;
  std::set<std::size_t> indices;  // some of them
};

// What of a row is not as usual.
SparseRows<float> unusual(const Recipe& recipe, const SparseRows<double>& sparse,
                          const std::vector<std::uint32_t>& rows, const std::vector<float>& usual, Unknown& unknown) {
  SparseRows<float> out;
  out.offsets.reserve(rows.size() + 1);
  out.offsets.push_back(0);
  for (const std::uint32_t row : rows) {
    bool known = true;
    for (std::size_t i = sparse.offsets[row]; i < sparse.offsets[row + 1]; ++i) {
      const std::uint32_t column = sparse.columns[i];
      if (column >= usual.size()) {
        known = false;
        if (unknown.indices.size() <= kListed) unknown.indices.insert(column + (recipe.zero_based ? 0u : 1u));
        continue;
      }
      const float x =
          standardised(recipe.standardize, sparse.values[i], recipe.sparse_means[column], recipe.sparse_scales[column]);
      if (x == usual[column]) continue;
      out.columns.push_back(column);
      out.values.push_back(x);
    }
    unknown.rows += known ? 0 : 1;
    out.offsets.push_back(out.columns.size());
  }
  return out;
}

void tell_unknown(const Recipe& recipe, const Unknown& unknown, Notes notes) {
  if (unknown.rows == 0) return;
  const std::size_t last = recipe.sparse_means.size() - (recipe.zero_based ? 1 : 0);
  std::vector<std::size_t> indices(unknown.indices.begin(), unknown.indices.end());
  const bool more = indices.size() > kListed;
  indices.resize(std::min(indices.size(), kListed));
  note(notes, "features beyond " + std::to_string(last) + ", the last of training, left aside in " +
                  count_text(unknown.rows, "row") + ": " + list_indices(indices) + (more ? " and more" : ""));
}

}  // namespace

void fit_sparse(const RawData& raw, const std::vector<std::uint32_t>& rows, Recipe& recipe,
                std::vector<std::string>& notes) {
  const Table& table = *raw.table();
  const std::size_t width = table.sparse_width;
  if (width == 0) fail(Status::invalid_argument, "no features to learn from", raw.source, "its lines are labels only");
  if (width > kMaxSparseFeatures) {
    fail(Status::limit, "too many features", raw.source,
         "the highest index is " + std::to_string(width - (table.zero_based ? 1 : 0)) + ", the most is " +
             std::to_string(kMaxSparseFeatures - (table.zero_based ? 1 : 0)),
         "number anew the features that occur, or leave out rare ones");
  }
  recipe.is_sparse = true;
  recipe.zero_based = table.zero_based;
  recipe.sparse_means.assign(width, 0.0);
  recipe.sparse_scales.assign(width, 0.0);
  const std::vector<Seen> seen = look_at(table.sparse, rows, width);
  const auto n = static_cast<double>(rows.size());
  std::vector<std::size_t> constant;
  for (std::size_t i = 0; i < width; ++i) {
    const Seen& s = seen[i];
    const auto zeros = static_cast<double>(rows.size() - s.count);
    const double mean = s.sum / n;
    if (!s.different && s.count > 0 && zeros > 0) {
      recipe.sparse_scales[i] = std::abs(s.only);
    } else if (s.count > 0) {
      recipe.sparse_means[i] = s.different ? mean * s.largest : s.only;
      if (s.different) recipe.sparse_scales[i] = std::sqrt((s.squares + zeros * mean * mean) / n) * s.largest;
    }
    if (recipe.sparse_scales[i] == 0) constant.push_back(i + (table.zero_based ? 0 : 1));
  }
  if (constant.empty()) return;
  notes.push_back(count_text(constant.size(), "feature") + (constant.size() == 1 ? " has" : " have") +
                  " the same value in every row: nothing to learn from: " + list_indices(constant));
}

void apply_sparse(const Recipe& recipe, const RawData& raw, const std::vector<std::uint32_t>& rows, Examples& out,
                  Notes notes) {
  const std::size_t width = recipe.sparse_means.size();
  out.usual.resize(width);
  for (std::size_t i = 0; i < width; ++i) {
    out.usual[i] = standardised(recipe.standardize, 0, recipe.sparse_means[i], recipe.sparse_scales[i]);
  }
  Unknown unknown;
  out.sparse = unusual(recipe, raw.table()->sparse, rows, out.usual, unknown);
  tell_unknown(recipe, unknown, notes);
  // An entry takes an index and a value. The sizes are those of a file in memory: their product needs no limit here.
  const bool dense = out.sparse.columns.size() >= rows.size() * width / 2;
  if (dense) out = in_full(std::move(out));
}

std::string describe_sparse(const Recipe& recipe) {
  const std::size_t first = recipe.zero_based ? 0 : 1, width = recipe.sparse_means.size();
  std::size_t constant = 0, categories = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (recipe.sparse_scales[i] == 0) {
      ++constant;
    } else if (recipe.sparse_means[i] == 0) {
      ++categories;
    }
  }
  const std::string standard = recipe.standardize ? " taken as 0, " : ", ";
  return "LIBSVM, features " + std::to_string(first) + " to " + std::to_string(width - 1 + first) + ": " +
         std::to_string(constant) + " constant" + standard + std::to_string(categories) + " of 0 and one other value" +
         (recipe.standardize ? " taken as 0 and 1, " : ", ") + std::to_string(width - constant - categories) +
         " other numbers" + (recipe.standardize ? " standardised" : "; none standardised");
}

}  // namespace halfstep::internal::data
