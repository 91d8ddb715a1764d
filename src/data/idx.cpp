#include "data/idx.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

struct IdxHeader {
  std::uint8_t type = 0;
  std::size_t value_bytes = 0;
  std::vector<std::uint64_t> sizes;
  std::uint64_t values = 0;
  std::string_view data;
};

[[noreturn]] void fail_idx(const Source& source, std::string why, std::string hint = {}) {
  fail(Status::format, "damaged IDX file", source.name, std::move(why), std::move(hint));
}

std::size_t bytes_of_type(std::uint8_t type) {
  switch (type) {
    case 0x08:  // u8
    case 0x09:  // i8
      return 1;
    case 0x0b:  // i16
      return 2;
    case 0x0c:  // i32
    case 0x0d:  // f32
      return 4;
    case 0x0e:  // f64
      return 8;
    default:
      return 0;
  }
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

// Division instead of multiplication, so that the product cannot overflow before it is compared.
std::uint64_t checked_product(const Source& source, const IdxHeader& header) {
  const std::uint64_t available = header.data.size() / header.value_bytes;
  std::uint64_t product = 1;
  for (const std::uint64_t size : header.sizes) {
    if (size != 0 && product > available / size) {
      fail_idx(source,
               "sizes in the header need more bytes than the " + std::to_string(header.data.size()) + " that follow it",
               "the file may be cut off");
    }
    product *= size;
  }
  return product;
}

IdxHeader parse_header(const Source& source) {
  const std::string_view text = source.text();
  if (text.size() < 8) fail_idx(source, std::to_string(text.size()) + " bytes, fewer than the smallest header");
  IdxHeader header;
  header.type = static_cast<std::uint8_t>(text[2]);
  header.value_bytes = bytes_of_type(header.type);
  const auto rank = static_cast<std::size_t>(static_cast<unsigned char>(text[3]));
  if (text[0] != 0 || text[1] != 0 || header.value_bytes == 0 || rank == 0 || rank > 8) {
    fail_idx(source, "the magic number " + std::to_string(big_endian(text.substr(0, 4))) +
                         " is not one of IDX (2051 for images, 2049 for labels)");
  }
  if (text.size() < 4 + 4 * rank) fail_idx(source, "the header is cut off");
  for (std::size_t i = 0; i < rank; ++i) header.sizes.push_back(big_endian(text.substr(4 + 4 * i, 4)));
  header.data = text.substr(4 + 4 * rank);
  header.values = checked_product(source, header);
  const std::uint64_t needed = header.values * header.value_bytes;
  if (needed != header.data.size()) {
    fail_idx(source,
             std::to_string(header.data.size()) + " bytes of values where the header says " + std::to_string(needed));
  }
  if (header.sizes[0] == 0) fail_idx(source, "0 rows");
  return header;
}

double value_at(const IdxHeader& header, std::size_t i) {
  const std::uint64_t raw = big_endian(header.data.substr(i * header.value_bytes, header.value_bytes));
  switch (header.type) {
    case 0x08:
      return static_cast<double>(raw);
    case 0x09:
      return static_cast<std::int8_t>(raw);
    case 0x0b:
      return static_cast<std::int16_t>(raw);
    case 0x0c:
      return static_cast<std::int32_t>(raw);
    case 0x0d:
      return std::bit_cast<float>(static_cast<std::uint32_t>(raw));
    default:
      return std::bit_cast<double>(raw);
  }
}

LargeVector<float> to_floats(const Source& source, const IdxHeader& header) {
  LargeVector<float> floats(header.values);
  for (std::size_t i = 0; i < floats.size(); ++i) {
    floats[i] = static_cast<float>(value_at(header, i));
    if (!std::isfinite(floats[i])) fail_idx(source, "value " + std::to_string(i) + " is too large or not finite");
  }
  return floats;
}

}  // namespace

std::string idx_labels_name(std::string name) {
  const std::size_t images = name.rfind("images");
  if (images == std::string::npos) return {};
  name.replace(images, 6, "labels");
  const std::size_t idx3 = name.rfind("idx3");
  if (idx3 != std::string::npos) name[idx3 + 3] = '1';
  return name;
}

Matrix parse_idx(const Source& source) {
  const IdxHeader header = parse_header(source);
  if (header.sizes.size() < 2) {
    fail_idx(source, "one dimension only, as in a file of labels", "give the file of images");
  }
  Matrix matrix;
  matrix.rows = header.sizes[0];
  matrix.cols = header.values / header.sizes[0];
  if (matrix.cols == 0) fail_idx(source, "rows without values");
  if (header.type == 0x08) {
    matrix.bytes.resize(header.values);
    std::memcpy(matrix.bytes.data(), header.data.data(), header.data.size());
  } else {
    matrix.floats = to_floats(source, header);
  }
  return matrix;
}

std::vector<std::int32_t> parse_idx_labels(const Source& source) {
  const IdxHeader header = parse_header(source);
  if (header.sizes.size() != 1) {
    fail_idx(source, std::to_string(header.sizes.size()) + " dimensions where labels have one");
  }
  if (header.type == 0x0d || header.type == 0x0e) fail_idx(source, "labels must be integers");
  std::vector<std::int32_t> labels(header.values);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(value_at(header, i));
  return labels;
}

std::string find_idx_labels(const std::string& images_path) {
  const std::filesystem::path path(images_path);
  const std::string name = idx_labels_name(path.filename().string());
  if (name.empty()) return {};
  const std::string bare = name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name;
  for (const std::string& candidate : {name, bare, bare + ".gz"}) {
    const auto full = path.parent_path() / candidate;
    std::error_code code;
    if (std::filesystem::is_regular_file(full, code)) return full.string();
  }
  return {};
}

}  // namespace halfstep::internal::data
