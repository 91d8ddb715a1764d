// Files of tensors. The first byte of the input says how much of the file is put right before it is read, so that
// mutations get behind the length and the digest; in an input that is put right, byte 0xFF ends the header.
#include "base/digest.hpp"
#include "fuzz/support.hpp"
#include "io/safetensors.hpp"
#include "io/safetensors_layout.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

std::string with_length(std::string_view rest) {
  const std::string_view header = fuzz::cut_front(rest, '\xff');
  std::string file(io::kPrefix, '\0');
  for (std::size_t i = 0; i < io::kPrefix; ++i) file[i] = static_cast<char>(std::uint64_t{header.size()} >> 8 * i);
  return file.append(header).append(rest);
}

void put_digest_right(std::string& file) {
  const std::size_t at = file.find(io::kDigestField);
  if (at == std::string::npos || at + io::kDigestField.size() + io::kDigestDigits > file.size()) return;
  const std::size_t digits = at + io::kDigestField.size();
  file.replace(digits, io::kDigestDigits, io::kDigestDigits, '0');
  Digest digest;
  digest.update(file.data(), file.size());
  file.replace(digits, io::kDigestDigits, digest.hex());
}

void check_tensor(const io::Tensor& tensor) {
  std::size_t size = io::dtype_size(tensor.dtype);
  for (const std::int64_t extent : tensor.shape) size *= static_cast<std::size_t>(extent);
  fuzz::require(size == tensor.bytes.size(), "a tensor's bytes are those of its shape", tensor.name);
  // Under ASan: they are all there.
  Digest digest;
  digest.update(tensor.bytes.data(), tensor.bytes.size());
}

void check_same(const io::File& before, const io::File& after) {
  fuzz::require(before.tensors.size() == after.tensors.size(), "no tensor is lost or made");
  for (const io::Tensor& tensor : before.tensors) {
    const io::Tensor* other = after.find(tensor.name);
    fuzz::require(other != nullptr, "a tensor keeps its name", tensor.name);
    const bool same = tensor.dtype == other->dtype && tensor.shape == other->shape &&
                      std::equal(tensor.bytes.begin(), tensor.bytes.end(), other->bytes.begin(), other->bytes.end());
    fuzz::require(same, "a tensor keeps its bytes", tensor.name);
  }
  for (const auto& [key, value] : before.metadata) {
    if (key == io::kDigestKey) continue;
    const std::string* other = after.find_metadata(key);
    fuzz::require(other != nullptr && *other == value, "metadata is kept", key);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest = fuzz::as_text(bytes + 1, size - 1);
  std::string content = bytes[0] & 1 ? with_length(rest) : std::string(rest);
  if (bytes[0] & 2) put_digest_right(content);
  const std::string path = fuzz::scratch() / "input.safetensors";
  test::write_bytes(path, content);
  io::File file;
  if (!fuzz::succeeds([&] { file = io::read_safetensors(path); })) return 0;
  for (const io::Tensor& tensor : file.tensors) check_tensor(tensor);
  const std::string copy = fuzz::scratch() / "copy.safetensors";
  io::write_safetensors(copy, file);
  check_same(file, io::read_safetensors(copy));
  return 0;
}
