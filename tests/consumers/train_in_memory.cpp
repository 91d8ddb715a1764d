// Trains on numbers in memory, step by step, saves, loads and predicts.
#include <cstdio>
#include <cstdlib>
#include <halfstep/halfstep.hpp>

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "in_memory.safetensors";
  std::vector<float> x;
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 400; ++i) {  // points within and outside of a circle
    const float a = static_cast<float>(i * 7 % 41) / 20 - 1, b = static_cast<float>(i * 11 % 37) / 18 - 1;
    x.insert(x.end(), {a, b});
    labels.push_back(a * a + b * b < 0.6f ? 1 : 0);
  }
  halfstep::Options options;
  options.epochs = 100;
  options.lr = 0.01;
  const auto data = halfstep::Dataset::classes(2, x, labels);
  halfstep::Trainer trainer({.widths = {2, 32, 2}}, data, options);
  while (!trainer.done()) trainer.step();
  std::printf("accuracy %.3f after %d steps\n", trainer.evaluate(data).accuracy, int(trainer.counts().applied));
  trainer.save(path);
  halfstep::Model model(path);
  const std::vector<float> inside = model.predict(std::vector<float>{0.1f, 0.1f});
  std::printf("probability of the middle: %.3f\n", inside[1]);
  return trainer.evaluate(data).accuracy > 0.9 && inside[1] > 0.9f ? EXIT_SUCCESS : EXIT_FAILURE;
}
