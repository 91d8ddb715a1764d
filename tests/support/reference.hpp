// Activations, losses and a whole MLP in plain double (or long double) loops, for comparison. Nothing here is shared
// with the library but the names of things.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "halfstep/types.hpp"

namespace halfstep::test {

template <class T>
T reference_sigmoid(T x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

inline constexpr long double kSqrt2OverPi = 0.797884560802865355879892119868763737L;
inline constexpr long double kSqrtHalf = 0.707106781186547524400844362104849039L;
inline constexpr long double kInvSqrt2Pi = 0.398942280401432677939946059934381868L;

inline constexpr double kLeakySlope = 0.01;
inline constexpr long double kSeluScale = 1.0507009873554804934193349852946L;
inline constexpr long double kSeluAlpha = 1.6732632423543772848170429916717L;

template <class T>
T gelu_tanh_argument(T x) {
  return static_cast<T>(kSqrt2OverPi) * (x + static_cast<T>(0.044715L) * x * x * x);
}

template <class T>
T reference_activation(Activation activation, T x) {
  switch (activation) {
    case Activation::identity:
      return x;
    case Activation::relu:
      return x < 0 ? T(0) : x;
    case Activation::gelu:
      return x / 2 * std::erfc(-x * static_cast<T>(kSqrtHalf));
    case Activation::gelu_tanh:
      return x * reference_sigmoid(2 * gelu_tanh_argument(x));
    case Activation::silu:
      return x * reference_sigmoid(x);
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return reference_sigmoid(x);
    case Activation::leaky_relu:
      return x > 0 ? x : static_cast<T>(kLeakySlope) * x;
    case Activation::elu:
      return x > 0 ? x : std::expm1(x);
    case Activation::softplus:
      return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
    case Activation::selu:
      return static_cast<T>(kSeluScale) * (x > 0 ? x : static_cast<T>(kSeluAlpha) * std::expm1(x));
  }
  return x;
}

// By the input x.
template <class T>
T reference_derivative(Activation activation, T x) {
  switch (activation) {
    case Activation::identity:
      return 1;
    case Activation::relu:
      return x > 0 ? 1 : 0;
    case Activation::gelu:
      return std::erfc(-x * static_cast<T>(kSqrtHalf)) / 2 + x * std::exp(-x * x / 2) * static_cast<T>(kInvSqrt2Pi);
    case Activation::gelu_tanh: {
      const T s = reference_sigmoid(2 * gelu_tanh_argument(x)), rest = reference_sigmoid(-2 * gelu_tanh_argument(x));
      const T slope = static_cast<T>(kSqrt2OverPi) * (1 + 3 * static_cast<T>(0.044715L) * x * x);
      return s == 0 || rest == 0 ? s : s + x * s * rest * 2 * slope;
    }
    case Activation::silu: {
      const T s = reference_sigmoid(x);
      return s + x * s * reference_sigmoid(-x);
    }
    case Activation::tanh:
      return 1 - std::tanh(x) * std::tanh(x);
    case Activation::sigmoid:
      return reference_sigmoid(x) * reference_sigmoid(-x);
    case Activation::leaky_relu:
      return x > 0 ? T(1) : static_cast<T>(kLeakySlope);
    case Activation::elu:
      return x > 0 ? T(1) : std::exp(x);
    case Activation::softplus:
      return reference_sigmoid(x);
    case Activation::selu:
      return static_cast<T>(kSeluScale) * (x > 0 ? T(1) : static_cast<T>(kSeluAlpha) * std::exp(x));
  }
  return 1;
}

// The derivative by what the backward pass is given: the output where it follows from that, else the input.
template <class T>
T reference_slope(Activation activation, T saved) {
  switch (activation) {
    case Activation::relu:
      return saved > 0 ? 1 : 0;
    case Activation::tanh:
      return 1 - saved * saved;
    case Activation::sigmoid:
      return saved * (1 - saved);
    case Activation::elu:
      return saved > 0 ? 1 : 1 + saved;
    case Activation::softplus:
      return -std::expm1(-saved);
    case Activation::selu:
      return saved > 0 ? static_cast<T>(kSeluScale) : saved + static_cast<T>(kSeluScale * kSeluAlpha);
    default:
      return reference_derivative(activation, saved);
  }
}

struct ReferenceTargets {
  std::vector<std::int32_t> labels;
  std::vector<double> values;  // [rows][columns]
  double huber_delta = 1.0;
};

// Loss of one row; d, when not null, takes the gradient by the logits.
double reference_loss(LossKind kind, const double* logits, std::size_t columns, std::size_t row,
                      const ReferenceTargets& targets, double* d);

// xhat of a row, in place; returns the reciprocal deviation.
double reference_normalise(Norm norm, std::vector<double>& row);
// The gradient by the row from that by xhat, in place.
void reference_normalise_backward(Norm norm, const std::vector<double>& xhat, double rstd, std::vector<double>& d);

// Weights row-major [out][in].
struct ReferenceMlp {
  std::vector<std::size_t> widths;
  Activation activation = Activation::relu;
  std::vector<std::vector<double>> weights, biases;
  Norm norm = Norm::none;
  std::vector<std::vector<double>> gammas, betas;                     // of each hidden layer; betas empty for Norm::rms
  std::vector<std::vector<double>> running_means, running_variances;  // where Norm::batch is to go by them
  std::vector<std::vector<double>> dropout;  // factors of each hidden layer's outputs [rows][width], or nothing
  bool residual = false;                     // hidden layers as wide as their input add it to their output

  struct Gradients {
    double loss = 0;
    std::vector<std::vector<double>> weights, biases, gammas, betas;
  };
  using Rows = std::vector<std::vector<double>>;
  // What a batch meets in a layer: the activation's input and the output, and on the way to them xhat.
  struct Layer {
    Rows xhat, z, y;
    std::vector<double> rstd;            // of each row, for Norm::batch of each column
    std::vector<double> mean, variance;  // of each column of a batch that was normalised by itself, biased
  };

  std::vector<Layer> forward(const std::vector<double>& x, std::size_t rows) const;
  // Mean loss of `rows` rows of x [rows][widths.front()].
  double loss(LossKind kind, const std::vector<double>& x, std::size_t rows, const ReferenceTargets& targets) const;
  Gradients gradients(LossKind kind, const std::vector<double>& x, std::size_t rows,
                      const ReferenceTargets& targets) const;

 private:
  bool skips(std::size_t layer) const;
  void normalise(std::size_t layer, Layer& values) const;
  // d goes from the gradient by a hidden layer's output to that by its product.
  void hidden_backward(std::size_t layer, const Layer& values, Rows& d, Gradients& g) const;
};

}  // namespace halfstep::test
