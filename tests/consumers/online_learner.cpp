// Learns from one row at a time, as they come, and predicts each before it learns from it.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <halfstep/halfstep.hpp>

int main() {
  halfstep::Options options;
  options.threads = 1;
  options.lr = 0.003;
  halfstep::Trainer trainer({.widths = {3, 32, 1}, .loss = halfstep::LossKind::mse}, options);
  double early = 0, late = 0;  // mean squared errors of predictions
  for (int i = 0; i < 6000; ++i) {
    const float t = static_cast<float>(i);
    const float row[] = {std::sin(t), std::cos(1.7f * t), std::sin(0.3f * t)};
    const float value[] = {2 * row[0] - row[1] * row[2]};
    const double error = static_cast<double>(trainer.predict(row)[0]) - static_cast<double>(value[0]);
    if (i < 500) early += error * error / 500;
    if (i >= 5500) late += error * error / 500;
    trainer.step({.x = row, .labels = {}, .values = value});
  }
  std::printf("mean squared error: %.4f in the first 500 rows, %.4f in the last\n", early, late);
  return late < early / 10 ? EXIT_SUCCESS : EXIT_FAILURE;
}
