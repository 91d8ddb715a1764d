// A loop of frames, as a game has it: two milliseconds of each are for training, and another thread predicts meanwhile
// from the weights that were published last. Prints how punctual that was; fails where it learns nothing.
//   frame_loop [frames]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <halfstep/halfstep.hpp>
#include <thread>

using namespace std::chrono_literals;
using Microseconds = std::chrono::duration<double, std::micro>;

int main(int argc, char** argv) {
  const int frames = argc > 1 ? std::atoi(argv[1]) : 200;
  std::vector<float> x;
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 2000; ++i) {
    for (int j = 0; j < 30; ++j) x.push_back(std::sin(static_cast<float>(i * (j + 1))));
    labels.push_back(x[x.size() - 30] > 0.4f ? 2 : x.back() > 0 ? 1 : 0);
  }
  halfstep::Trainer trainer({.widths = {30, 64, 32, 3}}, halfstep::Dataset::classes(30, x, labels));
  trainer.publish();

  std::atomic<bool> over = false;
  long predictions = 0;
  std::thread player([&] {
    std::vector<float> out(3);
    while (!over.load()) {
      halfstep::Predictor predictor(trainer.published());
      for (int i = 0; i < 100; ++i, ++predictions) {
        predictor.predict({x.data() + 30 * (predictions % 2000), 30}, out);
        std::this_thread::sleep_for(20us);
      }
    }
  });
  std::vector<double> overruns;
  std::int64_t steps = 0;
  Microseconds spent{};
  for (int frame = 0; frame < frames; ++frame) {
    const halfstep::StepsMade made = trainer.train_for(2ms);
    overruns.push_back(Microseconds(made.overrun).count());
    steps += made.steps;
    spent += made.elapsed;
    if (frame % 50 == 49) trainer.publish();
  }
  // Where a step takes longer than a frame has (an emulated CPU), few were made; something is to be learned anyway.
  while (steps < 200) steps += trainer.train_for(1s).steps;
  over.store(true);
  player.join();
  std::sort(overruns.begin(), overruns.end());
  std::printf("%lld steps of %.1f us; overrun of 2 ms: median %.1f us, 99th percentile %.1f us; %ld predictions\n",
              static_cast<long long>(steps), spent.count() / static_cast<double>(steps), overruns[overruns.size() / 2],
              overruns[overruns.size() * 99 / 100], predictions);
  const double accuracy = trainer.evaluate(halfstep::Dataset::classes(30, x, labels)).accuracy;
  return accuracy > 0.6 && predictions > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
