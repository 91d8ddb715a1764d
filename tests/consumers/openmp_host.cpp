// A host that works in OpenMP threads: each has a trainer and a predictor of its own, which give the bits that they
// give alone and leave the host's settings of OpenMP as they were.
#include <omp.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <halfstep/halfstep.hpp>

namespace {

halfstep::Dataset data() {
  std::vector<float> x;
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 512; ++i) {
    for (int j = 0; j < 48; ++j) x.push_back(std::sin(static_cast<float>(i * (j + 1))));
    labels.push_back(x[x.size() - 48] > 0 ? 1 : 0);
  }
  return halfstep::Dataset::classes(48, x, labels);
}

struct Result {
  std::vector<std::byte> state;
  std::vector<float> predictions;
  bool operator==(const Result&) const = default;
};

Result train(const halfstep::Dataset& set, int threads) {
  halfstep::Options options;
  options.threads = threads;
  options.batch = 128;
  options.steps = 40;
  halfstep::Trainer trainer({.widths = {48, 192, 2}}, set, options);
  trainer.train();
  halfstep::Predictor predictor(trainer.snapshot(), {.max_rows = 64, .threads = threads});
  Result result = {trainer.state(), std::vector<float>(set.rows() * 2)};
  predictor.predict(set.x(), result.predictions);
  return result;
}

struct Settings {
  int threads = omp_get_max_threads(), dynamic = omp_get_dynamic(), levels = omp_get_max_active_levels(), chunk = 0;
  omp_sched_t schedule{};
  Settings() { omp_get_schedule(&schedule, &chunk); }
  bool operator==(const Settings&) const = default;
};

}  // namespace

int main() {
  omp_set_num_threads(3);
  omp_set_dynamic(0);
  omp_set_max_active_levels(2);
  omp_set_schedule(omp_sched_guided, 7);
  const Settings before;
  const halfstep::Dataset set = data();
  const Result alone = train(set, 1);
  int wrong = 0, changed = 0, team = 0;
#pragma omp parallel num_threads(2) reduction(+ : wrong, changed)
  {
    const Settings inside;
    for (int i = 0; i < 3; ++i) wrong += train(set, i == 0 ? 1 : 2) == alone ? 0 : 1;
    changed += Settings() == inside ? 0 : 1;
#pragma omp single
    team = omp_get_num_threads();
  }
  long sum = 0;  // the host's own work goes on
#pragma omp parallel for reduction(+ : sum)
  for (int i = 0; i < 1000; ++i) sum += i;
  std::printf("%d threads of OpenMP; %d of 6 trainers differ from one alone\n", team, wrong);
  const bool same = changed == 0 && Settings() == before;
  if (!same) std::fprintf(stderr, "the settings of OpenMP are others\n");
  return wrong == 0 && same && team == 2 && sum == 499500 ? EXIT_SUCCESS : EXIT_FAILURE;
}
