#include "peers/onnx_file.hpp"

#include <bit>
#include <cstdint>

namespace halfstep::peers {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers go into the file as they lie in memory");

// A message of protobuf: fields, each with a key of number and kind, then a number or a length and bytes.
class Message {
 public:
  Message& number(unsigned field, std::uint64_t value) {
    put(field << 3);
    put(value);
    return *this;
  }
  Message& bytes(unsigned field, std::string_view value) {
    put(field << 3 | 2);
    put(value.size());
    text_ += value;
    return *this;
  }
  Message& message(unsigned field, const Message& value) { return bytes(field, value.text_); }
  const std::string& text() const { return text_; }

 private:
  // Seven bits a byte, lowest first; the eighth says that more follow.
  void put(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) text_ += static_cast<char>(value | 0x80);
    text_ += static_cast<char>(value);
  }
  std::string text_;
};

// Field numbers and codes are those of ONNX's schema, by the names of its messages.
constexpr std::uint64_t kFloatTensor = 1, kIntAttribute = 2, kIrVersion = 8, kOpset = 13;

// TensorProto
Message tensor(const std::string& name, std::span<const std::size_t> shape, std::span<const float> values) {
  Message m;
  for (const std::size_t size : shape) m.number(1, size);
  m.number(2, kFloatTensor).bytes(8, name);
  return m.bytes(9, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
}

// ValueInfoProto: a matrix of fp32 at the border of the graph.
Message border(const std::string& name, std::size_t rows, std::size_t columns) {
  const Message shape = Message().message(1, Message().number(1, rows)).message(1, Message().number(1, columns));
  const Message matrix = Message().number(1, kFloatTensor).message(2, shape);
  return Message().bytes(1, name).message(2, Message().message(1, matrix));
}

// NodeProto
Message node(std::string_view kind, std::initializer_list<std::string> inputs, const std::string& output) {
  Message m;
  for (const std::string& input : inputs) m.bytes(1, input);
  return m.bytes(2, output).bytes(3, output).bytes(4, kind);
}

// AttributeProto
Message attribute(std::string_view name, std::uint64_t value) {
  return Message().bytes(1, name).number(3, value).number(20, kIntAttribute);
}

std::vector<float> transposed(const OnnxLayer& layer) {
  std::vector<float> turned(layer.weight.size());
  for (std::size_t o = 0; o < layer.out; ++o) {
    for (std::size_t i = 0; i < layer.in; ++i) turned[i * layer.out + o] = layer.weight[o * layer.in + i];
  }
  return turned;
}

// GraphProto, node by node.
class Graph {
 public:
  explicit Graph(OnnxForm form) : form_(form) { graph_.bytes(2, "perceptron"); }

  void add(const OnnxLayer& layer, std::size_t index, const std::string& input, const std::string& output) {
    const std::string number = std::to_string(index), weight = "w" + number, bias = "b" + number;
    const bool as_is = form_ == OnnxForm::gemm_rows;
    const std::size_t shape[] = {as_is ? layer.out : layer.in, as_is ? layer.in : layer.out};
    graph_.message(5, tensor(weight, shape, as_is ? layer.weight : transposed(layer)));
    graph_.message(5, tensor(bias, std::span(&layer.out, 1), layer.bias));
    if (form_ == OnnxForm::matmul_add) {
      const std::string product = "p" + number;
      graph_.message(1, node("MatMul", {input, weight}, product));
      graph_.message(1, node("Add", {product, bias}, output));
      return;
    }
    Message gemm = node("Gemm", {input, weight, bias}, output);
    if (as_is) gemm.message(5, attribute("transB", 1));
    graph_.message(1, gemm);
  }
  void apply(std::string_view kind, const std::string& input, const std::string& output) {
    graph_.message(1, node(kind, {input}, output));
  }
  Message finish(const Message& input, const Message& output) { return graph_.message(11, input).message(12, output); }

 private:
  OnnxForm form_;
  Message graph_;
};

}  // namespace

std::string_view name(OnnxForm form) {
  switch (form) {
    case OnnxForm::gemm_rows:
      return "Gemm transB";
    case OnnxForm::gemm_columns:
      return "Gemm";
    case OnnxForm::matmul_add:
      return "MatMul Add";
  }
  return {};
}

std::string onnx_file(std::span<const OnnxLayer> layers, std::size_t rows, OnnxForm form) {
  Graph graph(form);
  std::string last = kOnnxInput;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string sums = "z" + std::to_string(i), next = "a" + std::to_string(i);
    graph.add(layers[i], i, last, sums);
    const bool is_last = i + 1 == layers.size();
    graph.apply(is_last ? "Softmax" : "Relu", sums, is_last ? kOnnxOutput : next);
    last = next;
  }
  const Message whole =
      graph.finish(border(kOnnxInput, rows, layers.front().in), border(kOnnxOutput, rows, layers.back().out));
  return Message()
      .number(1, kIrVersion)
      .bytes(2, "halfstep")
      .message(7, whole)
      .message(8, Message().bytes(1, "").number(2, kOpset))
      .text();
}

}  // namespace halfstep::peers
