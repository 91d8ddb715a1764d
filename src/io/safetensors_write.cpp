#include <algorithm>
#include <bit>
#include <cstring>

#include "base/digest.hpp"
#include "halfstep/error.hpp"
#include "io/safe_file.hpp"
#include "io/safetensors.hpp"
#include "io/safetensors_layout.hpp"
#include "text/json.hpp"

namespace halfstep::internal::io {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

[[noreturn]] void refuse(const std::string& name, std::string why) {
  throw Error(Status::invalid_argument,
              {.what = "cannot write the tensor", .where = name, .why = std::move(why), .kept = {}, .hint = {}});
}

void check(const Tensor& tensor) {
  std::size_t size = dtype_size(tensor.dtype);
  if (size == 0) refuse(tensor.name, "unknown dtype " + tensor.dtype);
  if (tensor.shape.size() > kMaxRank) refuse(tensor.name, "too many dimensions");
  if (tensor.name.empty() || tensor.name.size() > kMaxName || tensor.name == kMetadataKey) {
    refuse(tensor.name, "not a tensor name");
  }
  for (const std::int64_t extent : tensor.shape) {
    if (extent < 0 || __builtin_mul_overflow(size, static_cast<std::size_t>(extent), &size)) {
      refuse(tensor.name, "bad shape");
    }
  }
  if (size != tensor.bytes.size()) refuse(tensor.name, "its bytes do not match its shape");
}

// Larger elements first, so that each tensor is aligned to its own element without gaps.
std::vector<const Tensor*> in_file_order(const File& file) {
  if (file.tensors.size() > kMaxTensors) refuse("file", "too many tensors");
  std::vector<const Tensor*> order;
  for (const Tensor& tensor : file.tensors) {
    check(tensor);
    order.push_back(&tensor);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Tensor* a, const Tensor* b) { return dtype_size(a->dtype) > dtype_size(b->dtype); });
  return order;
}

// Length, JSON and padding; the digest's digits are zeros.
std::string make_header(const File& file, const std::vector<const Tensor*>& order) {
  json::Object metadata;
  for (const auto& [key, value] : file.metadata) {
    if (key != kDigestKey) metadata.emplace_back(key, value);
  }
  metadata.emplace_back(std::string(kDigestKey), std::string(kDigestDigits, '0'));
  json::Object header;
  header.emplace_back(std::string(kMetadataKey), std::move(metadata));
  std::size_t offset = 0;
  for (const Tensor* tensor : order) {
    const std::size_t end = offset + tensor->bytes.size();
    json::Array shape(tensor->shape.begin(), tensor->shape.end());
    header.emplace_back(tensor->name, json::Object{{"dtype", tensor->dtype},
                                                   {"shape", std::move(shape)},
                                                   {"data_offsets", json::Array{offset, end}}});
    offset = end;
  }
  std::string text = json::dump(header);
  text.append((kAlignment - (kPrefix + text.size()) % kAlignment) % kAlignment, ' ');
  if (text.size() > kMaxHeader) refuse("file", "the header would be larger than 16 MiB");
  const std::uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), kPrefix) + text;
}

// With its digest.
std::string whole_header(const File& file, const std::vector<const Tensor*>& order) {
  std::string header = make_header(file, order);
  Digest digest;
  digest.update(header.data(), header.size());
  for (const Tensor* tensor : order) digest.update(tensor->bytes.data(), tensor->bytes.size());
  header.replace(header.find(kDigestField) + kDigestField.size(), kDigestDigits, digest.hex());
  return header;
}

}  // namespace

void write_safetensors(const std::string& path, const File& file) {
  const std::vector<const Tensor*> order = in_file_order(file);
  const std::string header = whole_header(file, order);
  std::vector<Bytes> parts = {as_bytes(header)};
  for (const Tensor* tensor : order) parts.push_back(tensor->bytes);
  write_file_atomic(path, parts);
}

std::vector<std::byte> safetensors_bytes(const File& file) {
  const std::vector<const Tensor*> order = in_file_order(file);
  const std::string header = whole_header(file, order);
  const Bytes head = as_bytes(header);
  std::vector<std::byte> out(head.begin(), head.end());
  for (const Tensor* tensor : order) out.insert(out.end(), tensor->bytes.begin(), tensor->bytes.end());
  return out;
}

}  // namespace halfstep::internal::io
