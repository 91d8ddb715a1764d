#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <system_error>

#include "api/dataset_impl.hpp"
#include "api/refuse.hpp"
#include "data/data.hpp"
#include "data/embedded_column.hpp"
#include "data/target_columns.hpp"
#include "halfstep/error.hpp"
#include "parallel/executor.hpp"
#include "parallel/threads.hpp"

namespace halfstep {

using namespace internal;

namespace {

[[noreturn]] void refuse_rows(std::string why) { refuse("these rows are no data set", std::move(why)); }

std::size_t count_rows(std::size_t features, std::size_t numbers, std::size_t targets) {
  if (features == 0) refuse_rows("they have no features");
  if (numbers == 0 || numbers % features != 0) refuse_rows("the numbers are not whole rows, one at least");
  const std::size_t rows = numbers / features;
  if (targets != rows) refuse_rows("there must be as many targets as rows");
  if (rows > std::numeric_limits<std::uint32_t>::max()) refuse_rows("there are more than 2^32 - 1 rows");
  return rows;
}

data::Examples examples_of(std::size_t rows, std::size_t features, std::span<const float> x) {
  data::Examples examples;
  examples.rows = rows;
  examples.features = features;
  examples.x.assign(x.begin(), x.end());
  return examples;
}

// Threads for reading a file that is worth them; else none.
std::unique_ptr<Executor> executor_for(const std::string& path, const Options& options) {
  std::error_code code;
  const std::uintmax_t bytes = std::filesystem::file_size(path, code);
  if (code || bytes <= 2 * data::ReadHow{}.piece_bytes) return nullptr;
  return make_executor(choose_threads(options.threads).count, options.threads_of_host ? "host" : "");
}

}  // namespace

data::Preprocessor internal::preprocessor_of_rows(std::size_t features, std::size_t classes, std::size_t outputs) {
  data::Recipe recipe;
  recipe.targets.resize(classes > 0 ? 1 : outputs);
  recipe.standardize = false;
  recipe.is_matrix = true;
  recipe.matrix_cols = features;
  recipe.task = classes > 0 ? Task::classify : Task::regress;
  recipe.target_description = "given in memory";
  for (std::size_t i = 0; i < classes; ++i) recipe.classes.push_back(std::to_string(i));
  return data::Preprocessor(std::move(recipe));
}

Dataset::Dataset(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Dataset Dataset::classes(std::size_t features, std::span<const float> x, std::span<const std::int32_t> labels,
                         std::size_t classes) {
  data::Examples examples = examples_of(count_rows(features, x.size(), labels.size()), features, x);
  const auto [least, most] = std::minmax_element(labels.begin(), labels.end());
  if (*least < 0) refuse_rows("a label is negative");
  if (classes == 0) classes = std::max<std::size_t>(static_cast<std::size_t>(*most) + 1, 2);
  if (static_cast<std::size_t>(*most) >= classes) refuse_rows("a label is not below the number of classes");
  if (classes > data::kMaxCategories)
    refuse_rows("there are more than " + std::to_string(data::kMaxCategories) + " classes");
  examples.labels.assign(labels.begin(), labels.end());
  return Dataset(std::make_shared<const Impl>(Impl{preprocessor_of_rows(features, classes), std::move(examples)}));
}

Dataset Dataset::values(std::size_t features, std::span<const float> x, std::span<const float> values,
                        std::size_t outputs) {
  if (outputs == 0 || values.size() % outputs != 0) refuse_rows("the values are not so many for each row");
  data::Examples examples = examples_of(count_rows(features, x.size(), values.size() / outputs), features, x);
  examples.outputs = outputs;
  examples.targets.assign(values.begin(), values.end());
  examples.exact_targets.assign(values.begin(), values.end());
  return Dataset(std::make_shared<const Impl>(Impl{preprocessor_of_rows(features, 0, outputs), std::move(examples)}));
}

Dataset Dataset::read(const std::string& path, const Options& options) {
  if (options.cache != "auto" && options.cache != "none") {
    refuse("a data set is held in memory", "the parameter cache is for training from a file");
  }
  const std::unique_ptr<Executor> executor = executor_for(path, options);
  data::RawData raw = data::read_train(path, options, {executor.get()}).train;
  data::Preprocessor preprocessor = data::Preprocessor::fit(raw, options);
  data::Examples examples = preprocessor.apply(std::move(raw), true);
  std::vector<std::string> notes = preprocessor.notes();
  return Dataset(std::make_shared<const Impl>(Impl{std::move(preprocessor), std::move(examples), std::move(notes)}));
}

const std::vector<std::string>& Dataset::notes() const { return impl_->notes; }
std::size_t Dataset::rows() const { return impl_->examples.rows; }
std::size_t Dataset::features() const { return impl_->examples.features; }
std::vector<ColumnEmbedding> Dataset::embedded() const { return data::embedded_columns(impl_->preprocessor.recipe()); }
bool Dataset::is_classification() const { return impl_->preprocessor.task() == Task::classify; }
const std::vector<std::string>& Dataset::class_names() const { return impl_->preprocessor.classes(); }
std::size_t Dataset::outputs() const { return is_classification() ? 1 : impl_->preprocessor.targets().size(); }
std::vector<std::string> Dataset::target_names() const {
  return is_classification() ? std::vector<std::string>() : data::target_names(impl_->preprocessor.targets());
}
std::span<const float> Dataset::x() const { return impl_->examples.x; }

}  // namespace halfstep
