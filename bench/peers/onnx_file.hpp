// A perceptron as an ONNX file, written without any library of ONNX's or protobuf's.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halfstep::peers {

struct OnnxLayer {
  std::size_t in = 0, out = 0;
  std::vector<float> weight;  // [out][in]
  std::vector<float> bias;
};

// The operators that a layer is written in. They compute the same; which is the fastest is for the reader to find out.
enum class OnnxForm {
  gemm_rows,     // Gemm, weights as they are, transB
  gemm_columns,  // Gemm, weights as [in][out]
  matmul_add     // MatMul and Add, weights as [in][out]
};

std::string_view name(OnnxForm form);

inline constexpr const char* kOnnxInput = "x";
inline constexpr const char* kOnnxOutput = "y";

// ReLU behind every layer but the last, softmax behind that. Batches of `rows` rows and no others: what is fixed is
// easier for its reader. Opset 13.
std::string onnx_file(std::span<const OnnxLayer> layers, std::size_t rows, OnnxForm form);

}  // namespace halfstep::peers
