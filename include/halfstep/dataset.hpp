// Rows to learn from, or to judge a model by, in memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "halfstep/model_spec.hpp"
#include "halfstep/options.hpp"

namespace halfstep {

// Copying one is cheap: copies share the rows, which never change. Safe to use from several threads.
class Dataset {
 public:
  // Copies rows x features numbers, row-major, as the model is to see them: nothing is scaled. One label, from 0, for
  // each row. `classes` 0: as many as the largest label asks for. Throws Error(invalid_argument) where sizes do not
  // fit, a label is negative or not below `classes`; Error(out_of_memory).
  static Dataset classes(std::size_t features, std::span<const float> x, std::span<const std::int32_t> labels,
                         std::size_t classes = 0);
  // One value for each row, or `outputs` of them, row-major, for a model with so many outputs.
  static Dataset values(std::size_t features, std::span<const float> x, std::span<const float> values,
                        std::size_t outputs = 1);
  // A file or "builtin:NAME", read and preprocessed as `halfstep train` does, with options.target ("a", or "a,b" for
  // several values) and what else is said there of the data; fitted on all of its rows, none is held out. Throws Error
  // as train does.
  static Dataset read(const std::string& path, const Options& options = {});

  std::size_t rows() const;      // how many
  std::size_t features() const;  // of a row as the model sees it
  // With Options::embedding how its columns are to be embedded: ModelSpec::embedded of a model that learns from it,
  // which may set `periodic` of numbers. Else none.
  std::vector<ColumnEmbedding> embedded() const;
  bool is_classification() const;                       // labels of classes, else values
  std::size_t outputs() const;                          // values of a row; 1 for classes
  const std::vector<std::string>& class_names() const;  // "0", "1", ... of rows from memory; none for values
  std::vector<std::string> target_names() const;        // of each value; empty texts of rows from memory
  std::span<const float> x() const;  // rows x features; empty for images of bytes and for sparse files
  // What was decided about the data that its owner could regret, a line each: the target that nobody named, columns
  // that look like ids, tokens taken as missing. None of rows from memory.
  const std::vector<std::string>& notes() const;

 private:
  friend class Trainer;
  friend class Model;
  struct Impl;
  explicit Dataset(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace halfstep
