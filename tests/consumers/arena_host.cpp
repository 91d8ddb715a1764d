// A host that works in a oneTBB arena of its own: trainers and predictors in it take its threads, while its own tasks
// go on, and give the bits that they give alone.
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <atomic>
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

Result train(const halfstep::Dataset& set, bool threads_of_host) {
  halfstep::Options options;
  options.threads = threads_of_host ? 0 : 1;
  options.threads_of_host = threads_of_host;
  options.batch = 128;
  options.steps = 40;
  halfstep::Trainer trainer({.widths = {48, 192, 2}}, set, options);
  trainer.train();
  halfstep::Predictor predictor(trainer.snapshot(),
                                {.max_rows = 64, .threads = options.threads, .threads_of_host = threads_of_host});
  Result result = {trainer.state(), std::vector<float>(set.rows() * 2)};
  predictor.predict(set.x(), result.predictions);
  return result;
}

}  // namespace

int main() {
  const halfstep::Dataset set = data();
  const Result alone = train(set, false);
  tbb::task_arena arena(3);
  std::atomic<int> tasks = 0, wrong = 0;
  arena.execute([&] {
    tbb::task_group group;
    for (int i = 0; i < 2; ++i) {
      group.run([&] {
        if (!(train(set, true) == alone)) wrong.fetch_add(1);
      });
    }
    tbb::parallel_for(tbb::blocked_range<int>(0, 1000),
                      [&](const tbb::blocked_range<int>& range) { tasks.fetch_add(static_cast<int>(range.size())); });
    group.wait();
  });
  std::printf("%d tasks of the host; %d of 2 trainers differ from one alone\n", tasks.load(), wrong.load());
  return tasks == 1000 && wrong == 0 && arena.max_concurrency() == 3 ? EXIT_SUCCESS : EXIT_FAILURE;
}
