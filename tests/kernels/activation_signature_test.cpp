// The bits of the activations. The test of their errors lets a last place pass that somebody changed by accident, in a
// coefficient, say; a run that is repeated would not.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

struct Signature {
  Activation activation;
  const char* forward;
  const char* backward;
};

constexpr Signature kSignatures[] = {
    {Activation::identity, "90d8793809c0dceb", "8bf33d36582c37de"},
    {Activation::relu, "24e82ef36af7a120", "4f86ddd3cf5fc8a6"},
    {Activation::gelu, "88d99fe1c9f9ae51", "ffdb2217c50ed5a5"},
    {Activation::gelu_tanh, "608ed30cdaca6470", "88f891224eaff329"},
    {Activation::silu, "d2fb3fa9478613a4", "27552de71a92468c"},
    {Activation::tanh, "3ed6db330bc6f5ad", "e522731e3a9fa77b"},
    {Activation::sigmoid, "73075f6a388ac8a1", "42ffe83277c5af7e"},
    {Activation::leaky_relu, "2b2e7c0e23c0df27", "9b5f27886cbe6ae4"},
    {Activation::elu, "3844f281430a813f", "8aa646203b88c62a"},
    {Activation::softplus, "bea33d7d45edfe36", "1eec8eeedf18dc54"},
    {Activation::selu, "113d5c5ea55c5b22", "7d85e59345a7d7ad"},
};

constexpr auto kFp32 = static_cast<std::size_t>(Dtype::fp32), kBf16 = static_cast<std::size_t>(Dtype::bf16),
               kFp16 = static_cast<std::size_t>(Dtype::fp16);

// As results are taken that will be rounded to 16 bits; the others have nothing shorter.
constexpr Signature kShortSignatures[] = {
    {Activation::gelu, "23c257333749749e", "1cc6b87d684f683b"},
    {Activation::gelu_tanh, "da915cec80e6c19e", "cbceca69899c2e8f"},
    {Activation::silu, "af415a053d023d92", "6730c4c33c2510e1"},
    {Activation::tanh, "e2cd2f31c077b90c", "e522731e3a9fa77b"},
    {Activation::sigmoid, "3a199a44134379d4", "42ffe83277c5af7e"},
    {Activation::elu, "9dd624f98a695367", "8aa646203b88c62a"},
    {Activation::softplus, "6d6d833261632292", "7657b228a8b4ac5e"},
};

// Every exponent and sign with 128 mantissas, and a grid where activations bend. No subnormals, no NaN.
std::vector<float> inputs() {
  std::vector<float> x;
  for (std::uint32_t high = 0; high < 0x10000; ++high) {
    const float value = float_of(high << 16 | (high * 40503u & 0xffffu));
    if (std::isnormal(value)) x.push_back(value);
  }
  for (int i = -12 * 4096; i <= 12 * 4096; ++i) x.push_back(static_cast<float>(i) / 4096.0f);
  return x;
}

std::string digest_of(std::vector<float> values) {
  for (float& value : values) value = std::isnan(value) ? kNan : value;
  Digest digest;
  digest.update(values.data(), values.size() * sizeof(float));
  return digest.hex();
}

void check(const Signature& signature, void (*forward)(Activation, std::size_t, const float*, float*),
           void (*backward)(Activation, std::size_t, const float*, const float*, float*)) {
  INFO(std::string(label(signature.activation)));
  const std::vector<float> x = inputs(), one(x.size(), 1.0f);
  std::vector<float> y(x.size()), d(x.size());
  {
    const FpEnvGuard guard;
    forward(signature.activation, x.size(), x.data(), y.data());
    backward(signature.activation, x.size(), x.data(), one.data(), d.data());
  }
  CHECK(digest_of(y) == std::string(signature.forward));
  CHECK(digest_of(d) == std::string(signature.backward));
}

}  // namespace

// A change here means that users' results change: say so in the commit.
TEST_CASE("kernels: signatures of the activations") {
  for_each_runnable_isa([&](const KernelTable& kernels) {
    for (const Signature& signature : kSignatures) {
      check(signature, kernels.activate[kFp32], kernels.differentiate[kFp32]);
    }
    for (const Signature& signature : kShortSignatures) {
      check(signature, kernels.activate[kBf16], kernels.differentiate[kBf16]);
    }
    CHECK((kernels.activate[kBf16] == kernels.activate[kFp16]));
    CHECK((kernels.differentiate[kBf16] == kernels.differentiate[kFp16]));
  });
}
