// Embedded columns and members against a plain calculation in double, whose gradients are central differences.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <optional>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/model.hpp"

namespace halfstep::test::embedding {

using namespace internal;

// Numbers with 3 segments and with 1, categories with 4 codes; and a number with 2 segments and 3 periodic functions.
const std::vector<ColumnEmbedding> kColumns = {{true, 3}, {false, 4}, {true, 1}, {true, 2, 3}};
constexpr std::size_t kWidth = 5, kInputs = 7;

NetworkShape shape_of(Dtype dtype, std::size_t members, std::size_t outputs, std::size_t rows) {
  return {.widths = {kInputs, 7, outputs},
          .activation = Activation::silu,
          .embedded = kColumns,
          .embedding = kWidth,
          .members = members,
          .dtype = dtype,
          .max_rows = rows};
}

// Rows of such columns: places inside, at knots, beyond both ends, missing, each code.
Examples rows_of(std::size_t rows, std::size_t outputs) {
  Examples e(rows, kInputs, outputs);
  for (std::size_t r = 0; r < rows; ++r) {
    float* const x = e.x.data() + r * kInputs;
    constexpr float kPlaces[] = {0.25f, 1, 2.75f, -0.5f, 3.5f, kMissingPlace, 0, 3};
    x[1] = kPlaces[r % 8];
    x[2] = static_cast<float>(r % 4);
    x[4] = kPlaces[(r + 3) % 8] / 3;
    if (x[4] < -2) x[4] = kMissingPlace;
    x[6] = kPlaces[(r + 5) % 8] / 1.5f;
  }
  return e;
}

struct Plain {
  std::size_t members, outputs;
  std::vector<NamedTensor> names;
  std::vector<std::vector<double>> values;

  explicit Plain(const Network& model) : members(model.shape().members), outputs(model.shape().widths.back()) {
    for (NamedTensor& t : model.tensors()) {
      values.emplace_back(t.values.begin(), t.values.end());
      names.push_back(std::move(t));
    }
  }
  const std::vector<double>& of(const std::string& name) const {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].name == name) return values[i];
    }
    FAIL("no tensor " << name);
    std::abort();
  }
  // The piecewise linear encoding itself, then a linear map of it: not the way of the program.
  std::vector<double> embedded(const float* x) const {
    const std::vector<double>& table = of("embedding.table");
    std::vector<double> e;
    std::size_t first = 0, first_periodic = 0;
    for (const ColumnEmbedding& c : kColumns) {
      const double* const v = of("embedding.periodic").data() + first_periodic;
      const auto row = [&](std::size_t r, std::size_t i) { return table[(first + r) * kWidth + i]; };
      for (std::size_t i = 0; i < kWidth; ++i) {
        if (!c.number) {
          e.push_back(row(static_cast<std::size_t>(x[0]), i));
        } else if (x[1] < -8) {
          e.push_back(row(c.size + 2, i));
        } else {
          double sum = static_cast<double>(x[0]) * row(c.size, i) + row(c.size + 1, i);
          for (std::size_t s = 0; s < c.size; ++s) {
            double share = static_cast<double>(x[1]) - static_cast<double>(s);
            if (s > 0) share = std::max(share, 0.0);
            if (s + 1 < c.size) share = std::min(share, 1.0);
            sum += share * row(s, i);
          }
          for (std::size_t f = 0; f < c.periodic; ++f) {
            const double frequency = v[c.periodic * kWidth + f], phase = v[c.periodic * (kWidth + 1) + f];
            sum += std::cos(2 * std::acos(-1.0) * (frequency * static_cast<double>(x[0]) + phase)) * v[f * kWidth + i];
          }
          e.push_back(sum);
        }
      }
      x += c.inputs();
      first += c.number ? c.size + 3 : c.size;
      first_periodic += c.periodic * (kWidth + 2);
    }
    return e;
  }
  std::vector<double> affine(const std::string& name, std::size_t out, const std::vector<double>& x) const {
    std::vector<double> y = of(name + ".bias");
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t i = 0; i < x.size(); ++i) y[o] += of(name + ".weight")[o * x.size() + i] * x[i];
    }
    return y;
  }
  std::vector<double> logits(const float* x, std::size_t member) const {
    std::vector<double> e = embedded(x);
    for (std::size_t i = 0; members > 1 && i < e.size(); ++i) e[i] *= of("embedding.scale")[member * e.size() + i];
    std::vector<double> h = affine("layers.0", 7, e);
    for (double& v : h) v = v / (1 + std::exp(-v));
    const std::vector<double> all = affine("layers.1", outputs * members, h);
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(member * outputs);
    return {begin, begin + static_cast<std::ptrdiff_t>(outputs)};
  }
  double loss(const Examples& e) const {
    double sum = 0;
    for (std::size_t r = 0; r < e.rows; ++r) {
      for (std::size_t m = 0; m < members; ++m) {
        const auto z = logits(e.x.data() + r * kInputs, m);
        double total = 0;
        for (const double v : z) total += std::exp(v);
        sum += std::log(total) - z[static_cast<std::size_t>(e.labels[r])];
      }
    }
    return sum / static_cast<double>(e.rows * members);
  }
};

double run(GemmContext& ctx, Network& model, const Examples& e, bool accumulate = false, double rows_of_step = 0) {
  const FpEnvGuard guard;
  set_input(model, e);
  model.forward(ctx, e.rows, 1);
  const LogitsView logits = {model.logits(), model.logits_ld(), e.outputs, e.rows, model.shape().members};
  const LossGradient gradient = {model.logits_gradient().d, model.logits_gradient().sums, model.logits_ld()};
  const double weight = rows_of_step > 0 ? rows_of_step : static_cast<double>(e.rows);
  double losses = 0;
  add_losses(*make_loss(LossKind::cross_entropy, 1.0), ctx.kernels, ctx.executor, logits, e.targets(), 1, &gradient,
             weight, losses);
  model.backward(ctx, e.rows, accumulate);
  return mean_loss(losses, weight);
}

std::vector<float> gradients_of(const Network& model) {
  std::vector<float> all;
  for (const Parameter* p : model.trained()) all.insert(all.end(), p->gradient.begin(), p->gradient.end());
  return all;
}

// So that slopes, which begin at zero, are something.
void start(Network& model, const KernelTable& kernels) {
  model.initialise(3, kernels);
  Parameter& table = parameter(model, "embedding.table");
  for (std::size_t i = 0; i < table.elements(); ++i) table.master[i] += 0.01f * static_cast<float>(i % 17) - 0.05f;
}

// The loss, and its central differences by each element of each tensor.
struct Expected {
  double loss;
  std::vector<std::vector<double>> slopes;
};

Expected expected_of(Plain plain, const Examples& e) {
  Expected out = {plain.loss(e), {}};
  for (std::vector<double>& values : plain.values) {
    std::vector<double>& slopes = out.slopes.emplace_back();
    for (double& value : values) {
      const double middle = value, step = 1e-5;
      value = middle + step;
      const double above = plain.loss(e);
      value = middle - step;
      slopes.push_back((above - plain.loss(e)) / (2 * step));
      value = middle;
    }
  }
  return out;
}

TEST_CASE("embedding: loss and gradients against double, at odd rows, with and without members") {
  const auto executor = make_executor(2, "threads");
  for (const std::size_t members : {1u, 2u, 3u}) {
    for (const std::size_t rows : {1u, 9u, 50u}) {
      const Examples e = rows_of(rows, 3);
      std::optional<Expected> expected;
      for_each_runnable_isa([&](const KernelTable& kernels) {
        Mismatches wrong;
        GemmContext ctx(kernels, *executor);
        Network model(shape_of(Dtype::fp32, members, 3, rows));
        start(model, kernels);
        const Plain plain(model);
        if (!expected) expected = expected_of(plain, e);
        const double loss = run(ctx, model, e);
        if (!(std::fabs(loss - expected->loss) < 1e-5))
          wrong.add(kernels.name, " loss ", loss, " not ", expected->loss);
        for (std::size_t t = 0; t < plain.values.size(); ++t) {
          const Parameter& p = parameter(model, plain.names[t].name);
          for (std::size_t i = 0; i < plain.values[t].size(); ++i) {
            const double slope = expected->slopes[t][i];
            const std::size_t at = p.is_matrix() ? p.strips.offset(i / p.strips.in, i % p.strips.in) : i;
            if (!(std::fabs(static_cast<double>(p.gradient[at]) - slope) < 1e-5)) {
              wrong.add(kernels.name, " ", p.name, " at ", i, ": ", p.gradient[at], " not ", slope);
            }
          }
        }
        CHECK_MESSAGE(wrong.none(), wrong.text());
      });
    }
  }
}

TEST_CASE("embedding: the same bits at any number of threads, and in parts of whole chunks of rows") {
  const Examples e = rows_of(96, 2);
  for_each_runnable_isa([&](const KernelTable& kernels) {
    for (const Dtype dtype : {Dtype::fp32, Dtype::bf16, Dtype::fp16}) {
      std::vector<float> first;
      for (const int threads : {1, 2, 3, 5, 8}) {
        const auto executor = make_executor(threads, "threads");
        GemmContext ctx(kernels, *executor);
        Network model(shape_of(dtype, 4, 2, 96));
        start(model, kernels);
        run(ctx, model, e);
        if (first.empty()) first = gradients_of(model);
        CHECK(first == gradients_of(model));
      }
      const auto executor = make_executor(2, "threads");
      GemmContext ctx(kernels, *executor);
      Network model(shape_of(dtype, 4, 2, 48));
      start(model, kernels);
      for (const std::size_t begin : {0u, 48u}) {
        Examples part = rows_of(48, 2);
        std::copy_n(e.x.begin() + static_cast<std::ptrdiff_t>(begin * kInputs), 48 * kInputs, part.x.begin());
        std::copy_n(e.labels.begin() + static_cast<std::ptrdiff_t>(begin), 48, part.labels.begin());
        run(ctx, model, part, begin > 0, 96);
      }
      CHECK(first == gradients_of(model));
    }
  });
}

TEST_CASE("embedding: what is no place, no code, and no number does not leave the table") {
  const auto executor = make_executor(1, "serial");
  const KernelTable& kernels = select_isa();
  GemmContext ctx(kernels, *executor);
  Network model(shape_of(Dtype::fp32, 2, 2, 8));
  start(model, kernels);
  Examples e = rows_of(8, 2);
  constexpr float kOdd[] = {1e30f,   -1e30f, std::numeric_limits<float>::infinity(),
                            -5,      1e9f,   std::numeric_limits<float>::quiet_NaN(),
                            3.9999f, -0.0f};
  for (std::size_t r = 0; r < 8; ++r) e.x[r * kInputs + 1] = e.x[r * kInputs + 2] = e.x[r * kInputs + 4] = kOdd[r];
  for (std::size_t r = 0; r < 8; ++r) e.x[r * kInputs + 6] = kOdd[r];
  CHECK(std::isfinite(run(ctx, model, e)));
}

}  // namespace halfstep::test::embedding
