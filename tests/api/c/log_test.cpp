// What a host is told beside results: the log, the list of parameters, and models published while training goes on.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "api/c/small_run.hpp"
#include "base/fp_env.hpp"
#include "halfstep/options.hpp"

namespace halfstep::test {
namespace {

struct Lines {
  std::vector<std::pair<std::int32_t, std::string>> said;
  internal::FpEnvGuard::Word fp_env = 0;
};

void keep(std::int32_t level, const char* line, void* user_data) {
  auto& lines = *static_cast<Lines*>(user_data);
  lines.said.emplace_back(level, line);
  lines.fp_env = internal::FpEnvGuard::read();
}

void throw_text(std::int32_t, const char*, void*) { throw std::runtime_error("from the host"); }

}  // namespace

TEST_CASE("c: a log tells what was decided about a file, and which machine trains") {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "halfstep_c_log_test.csv";
  std::ofstream(path) << "same,a,y\n5,1,0.5\n5,2,1.5\n5,3,0.25\n5,4,2.5\n";
  hs_config* config = nullptr;
  HS_CHECK_OK(hs_config_create(&config));
  HS_CHECK_OK(hs_config_set(config, "threads", "1"));
  Lines lines;
  HS_CHECK_OK(hs_config_set_log(config, keep, &lines));
  hs_dataset* data = nullptr;
  HS_CHECK_OK(hs_dataset_read(path.string().c_str(), config, &data));
  bool constant = false;
  for (const auto& [level, line] : lines.said) {
    CHECK(level == HS_LOG_NOTE);
    CHECK(line.find('\n') == std::string::npos);
    constant = constant || line.find("'same'") != std::string::npos;
  }
  CHECK(constant);
  CHECK(lines.fp_env == internal::FpEnvGuard::read());

  lines.said.clear();
  const std::uint64_t widths[] = {1, 1};
  hs_model_spec spec = HS_MODEL_SPEC_INIT;
  std::uint64_t features = 0;
  HS_CHECK_OK(hs_dataset_shape(data, nullptr, &features, nullptr));
  const std::uint64_t fitting[] = {features, 1};
  spec.widths = fitting;
  spec.width_count = 2;
  spec.loss = "mse";
  hs_trainer* trainer = nullptr;
  HS_CHECK_OK(hs_trainer_create(&spec, data, config, &trainer));
  REQUIRE(lines.said.size() == 1);
  CHECK(lines.said[0].first == HS_LOG_INFO);
  CHECK(lines.said[0].second.find("1 thread (asked for)") != std::string::npos);
  HS_CHECK_OK(hs_trainer_destroy(trainer));
  trainer = nullptr;

  HS_CHECK_OK(hs_config_set_log(config, throw_text, nullptr));
  CHECK(hs_trainer_create(&spec, data, config, &trainer) == HS_STATUS_INTERNAL);
  CHECK(trainer == nullptr);
  HS_CHECK_OK(hs_config_set_log(config, nullptr, nullptr));
  HS_CHECK_OK(hs_trainer_create(&spec, data, config, &trainer));
  spec.widths = widths;
  HS_CHECK_OK(hs_trainer_destroy(trainer));
  HS_CHECK_OK(hs_dataset_destroy(data));
  HS_CHECK_OK(hs_config_destroy(config));
  std::filesystem::remove(path);
}

TEST_CASE("c: the list of parameters is JSON with every one of them") {
  std::uint64_t needed = 0;
  HS_CHECK_OK(hs_parameters_json(nullptr, 0, &needed));
  std::string json(needed, '\0');
  CHECK(hs_parameters_json(json.data(), needed - 1, nullptr) == HS_STATUS_INVALID_ARGUMENT);
  HS_CHECK_OK(hs_parameters_json(json.data(), needed, nullptr));
  CHECK(json.front() == '[');
  CHECK(std::string(json.c_str()).size() == needed - 1);
  for (const ParameterInfo& info : parameters()) {
    CHECK(json.find(R"({"name":")" + std::string(info.name) + R"(","type":)") != std::string::npos);
  }
}

TEST_CASE("c: one thread trains and publishes, another predicts by what was published last") {
  SmallRun run("200");
  hs_model* model = nullptr;
  CHECK(hs_trainer_published(run.trainer, &model) == HS_STATUS_STATE);
  HS_CHECK_OK(hs_trainer_publish(run.trainer));
  std::atomic<bool> done = false;
  std::atomic<long> wrong = 0, seen = 0;
  std::thread reader([&] {
    do {
      hs_model* mine = nullptr;
      std::uint64_t inputs = 0;
      if (hs_trainer_published(run.trainer, &mine) != HS_STATUS_OK ||
          hs_model_shape(mine, &inputs, nullptr, nullptr) != HS_STATUS_OK || inputs == 0) {
        ++wrong;
      }
      if (hs_model_destroy(mine) != HS_STATUS_OK) ++wrong;
      ++seen;
    } while (!done);
  });
  for (int step = 0; step < 100; ++step) {
    HS_CHECK_OK(hs_trainer_step(run.trainer, nullptr));
    HS_CHECK_OK(hs_trainer_publish(run.trainer));
  }
  done = true;
  reader.join();
  CHECK(wrong == 0);
  CHECK(seen > 0);
  HS_CHECK_OK(hs_trainer_published(run.trainer, &model));
  HS_CHECK_OK(hs_model_destroy(model));
  CHECK(hs_trainer_published(nullptr, &model) == HS_STATUS_INVALID_ARGUMENT);
}

}  // namespace halfstep::test
