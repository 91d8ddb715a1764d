// Named tensors in a file of the safetensors format, read with a stricter profile than the format asks for.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace halfstep::internal::io {

struct Tensor {
  std::string name;   // 1 to 256 bytes of printable UTF-8
  std::string dtype;  // "F32", "BF16", "F16", "I64" ...
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // row-major, little-endian
};

struct File {
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<Tensor> tensors;
  std::string digest;                          // as read; empty: the file has none and nothing vouches for its bytes
  std::shared_ptr<const std::byte[]> storage;  // what the tensors of a file that was read point into, 64-byte aligned

  bool has_digest() const { return !digest.empty(); }
  const Tensor* find(std::string_view name) const;
  const std::string* find_metadata(std::string_view key) const;
};

// Element size in bytes; 0 when the dtype is not known here.
std::size_t dtype_size(std::string_view dtype);

// Throws Error(io) when the file cannot be read; Error(format), or Error(limit) for sizes beyond what is
// accepted, for anything else. A digest, where there is one, has been compared with every byte.
File read_safetensors(const std::string& path);

// Durable and atomic (safe_file.hpp). Orders tensors by falling element size and adds "halfstep.digest";
// `file.digest` is ignored. Throws Error(invalid_argument) for a tensor that does not fit its own description.
void write_safetensors(const std::string& path, const File& file);
// The bytes of that file.
std::vector<std::byte> safetensors_bytes(const File& file);

}  // namespace halfstep::internal::io
