// Model files of format 1, kept as they were written: whoever has one reads it, and gets the same bits from it.
//   models/batch_norm.safetensors   3-4-2, GELU, BatchNorm, bf16, classes "even" and "odd"
//   models/no_norm.safetensors      3-4-1, ReLU, fp32, a number
//   models/two_targets.safetensors  3-4-2, ReLU, fp32, the numbers "high" and "low"
#include <doctest/doctest.h>

#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "kernels/table.hpp"
#include "support/isa_loop.hpp"

namespace halfstep::internal {
namespace {

std::string stored(const char* name) { return std::string(HS_SOURCE_DIR "/tests/api/models/") + name; }

// f(options) for the ISA that is chosen by itself and for each whose bits are those of all.
template <class F>
void for_each_consistent_isa(F f) {
  f(Options());
  test::for_each_runnable_isa([&](const KernelTable& kernels) {
    if (kernels.gemm[static_cast<std::size_t>(Dtype::bf16)].native) return;
    Options options;
    options.isa = kernels.name;
    f(options);
  });
}

struct NewRows {
  test::TempDir dir;
  std::string path = dir / "new.csv";
  NewRows() { test::write_bytes(path, "a,b,c\n3.5,950,0.25\n-2,1010,\n20,900,-0.5\n"); }
};

}  // namespace

TEST_CASE("a stored classifier with BatchNorm predicts on every ISA what it did when it was written") {
  const NewRows rows;
  const std::vector<std::string> classes = {"even", "odd"};
  for_each_consistent_isa([&](const Options& options) {
    const Predictions p = predict(stored("batch_norm.safetensors"), rows.path, options);
    CHECK(p.classes == classes);
    CHECK(p.predicted == std::vector<std::string>{"even", "even", "odd"});
    const std::vector<float> values(p.values.begin(), p.values.end());
    CHECK(values == std::vector<float>{0.5536226f, 0.44637743f, 0.9649606f, 0.035039455f, 0.10678673f, 0.8932133f});
  });
}

TEST_CASE("a stored regressor predicts on every ISA what it did when it was written") {
  const NewRows rows;
  for_each_consistent_isa([&](const Options& options) {
    const Predictions p = predict(stored("no_norm.safetensors"), rows.path, options);
    CHECK_FALSE(p.classification);
    CHECK(p.predicted == std::vector<std::string>{"8.12618293", "1.31768833", "24.63600846"});
  });
}

TEST_CASE("a stored regressor with two targets predicts on every ISA what it did when it was written") {
  const NewRows rows;
  for_each_consistent_isa([&](const Options& options) {
    const Predictions p = predict(stored("two_targets.safetensors"), rows.path, options);
    CHECK(p.targets == std::vector<std::string>{"high", "low"});
    CHECK(p.predicted ==
          std::vector<std::string>{"9729.041683,1.025295125", "9849.5803972,3.400917077", "8996.4353773,27.735263209"});
  });
  const ModelSummary two = inspect(stored("two_targets.safetensors"));
  CHECK(two.architecture == "3-4-2 relu, mse");
  CHECK(two.targets == std::vector<std::string>{"high", "low"});
  CHECK(two.weights_digest == "3efd3d4b09a39756");
}

TEST_CASE("stored models are described as they were") {
  const ModelSummary batch = inspect(stored("batch_norm.safetensors")), none = inspect(stored("no_norm.safetensors"));
  CHECK(batch.format == "halfstep 1 (safetensors)");
  CHECK(batch.architecture == "3-4-2 batch norm, gelu, cross_entropy");
  CHECK(batch.precision == "bf16");
  CHECK(batch.weights_digest == "f7deae0b10c70510");
  CHECK(batch.parameters == 34);
  CHECK(batch.tensors.size() == 8);
  CHECK(batch.step == 60);
  CHECK(none.architecture == "3-4-1 relu, mse");
  CHECK(none.kind == "regressor");
  CHECK(none.precision == "fp32");
  CHECK(none.weights_digest == "ff7ad5a414c447f6");
  CHECK(none.config.size() == 59);
}

}  // namespace halfstep::internal
