// Fine-tuning on a device: the weights of a model that was trained elsewhere go on learning from a few rows of its own.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <halfstep/halfstep.hpp>

namespace {

struct Rows {
  std::vector<float> x, values;
};

// The device measures everything half a unit too high.
Rows rows_of(int count, float shift) {
  Rows rows;
  for (int i = 0; i < count; ++i) {
    const float a = std::sin(static_cast<float>(i)), b = std::cos(static_cast<float>(2 * i));
    rows.x.insert(rows.x.end(), {a + shift, b + shift});
    rows.values.push_back(a * b + a);
  }
  return rows;
}

}  // namespace

int main() {
  const halfstep::ModelSpec spec = {.widths = {2, 48, 1}, .loss = halfstep::LossKind::mse};
  halfstep::Options options;
  options.lr = 0.005;
  options.epochs = 60;
  const Rows factory = rows_of(2000, 0), device = rows_of(60, 0.5f);
  halfstep::Trainer first(spec, halfstep::Dataset::values(2, factory.x, factory.values), options);
  first.train();

  const auto own = halfstep::Dataset::values(2, device.x, device.values);
  options.lr = 0.002;
  options.batch = 16;
  halfstep::Trainer tuned(spec, own, options);
  for (const halfstep::ParameterView& p : first.parameters()) tuned.set_parameter(p.name, first.parameter(p.name));
  const double before = tuned.evaluate(own).rmse;
  tuned.train();
  const double after = tuned.evaluate(own).rmse;
  std::printf("root mean squared error on the device: %.3f before, %.3f after\n", before, after);
  return after < before / 2 ? EXIT_SUCCESS : EXIT_FAILURE;
}
