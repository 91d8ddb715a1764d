#include "io/safetensors.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/digest.hpp"
#include "io/posix.hpp"
#include "io/safetensors_layout.hpp"
#include "text/json.hpp"

namespace halfstep::internal::io {
namespace {

// One file being read; every failure names it.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  File read() {
    open();
    read_header();
    parse_header();
    check_layout();
    read_data();
    verify_digest();
    return std::move(file_);
  }

 private:
  [[noreturn]] void reject(std::string why, Status status = Status::format, std::string hint = {}) const {
    throw Error(status, {.what = "cannot read the model file",
                         .where = path_,
                         .why = std::move(why),
                         .kept = {},
                         .hint = std::move(hint)});
  }

  void open() {
    if (path_.find('\0') != std::string::npos) reject("the name holds a NUL byte", Status::io);
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    descriptor_ = Descriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!descriptor_.valid()) reject(errno_text(errno), Status::io);
    struct stat status {};
    if (::fstat(descriptor_.get(), &status) != 0) reject(errno_text(errno), Status::io);
    if (S_ISDIR(status.st_mode)) {
      reject("it is a directory", Status::format, "the model file inside it, such as model.safetensors");
    }
    if (!S_ISREG(status.st_mode)) reject("it is not a regular file");
    size_ = static_cast<std::uint64_t>(status.st_size);
  }

  void read_exactly(void* into, std::size_t count) {
    auto* at = static_cast<char*>(into);
    while (count > 0) {
      const ssize_t got = ::read(descriptor_.get(), at, std::min<std::size_t>(count, std::size_t{1} << 30));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) reject(errno_text(errno), Status::io);
      if (got == 0) reject("the file became shorter while it was read");
      at += got;
      count -= static_cast<std::size_t>(got);
    }
  }

  void read_header() {
    if (size_ < kPrefix + 2) {
      reject("it has " + std::to_string(size_) + " bytes; the smallest possible has " + std::to_string(kPrefix + 2));
    }
    unsigned char prefix[kPrefix];
    read_exactly(prefix, kPrefix);
    std::uint64_t length = 0;
    for (unsigned i = 0; i < kPrefix; ++i) length |= std::uint64_t{prefix[i]} << (8 * i);
    if (length > size_ - kPrefix) {
      reject("the header claims " + std::to_string(length) + " bytes, the file has " + std::to_string(size_) +
             ": truncated, or not a safetensors file");
    }
    if (length > kMaxHeader) reject("the header has " + std::to_string(length) + " bytes", Status::limit);
    raw_.resize(kPrefix + length);
    std::memcpy(raw_.data(), prefix, kPrefix);
    read_exactly(raw_.data() + kPrefix, length);
    if (raw_[kPrefix] != '{') reject("byte 8 is not '{': not a safetensors file");
  }

  void parse_header() {
    json::Value header;
    try {
      header = json::parse(std::string_view(raw_).substr(kPrefix), {.depth = 4, .values = 2 * json::Limits{}.values});
    } catch (const Error& error) {
      reject("header " + error.parts().where + ": " + error.parts().why);
    }
    for (const auto& [name, entry] : header.as_object()) {
      if (name == kMetadataKey) {
        parse_metadata(entry);
      } else {
        parse_tensor(name, entry);
      }
    }
  }

  void parse_metadata(const json::Value& entry) {
    if (!entry.is_object()) reject("__metadata__ is not an object");
    for (const auto& [key, value] : entry.as_object()) {
      if (!value.is_string()) reject("metadata \"" + key + "\" is not a string");
      if (key == kDigestKey) file_.digest = value.as_string();
      file_.metadata.emplace_back(key, value.as_string());
      if (key == kDigestKey && file_.digest.size() != kDigestDigits) reject("the digest is malformed");
    }
  }

  void check_name(const std::string& name) const {
    if (name.empty() || name.size() > kMaxName) reject("a tensor name has " + std::to_string(name.size()) + " bytes");
    for (std::size_t i = 0; i < name.size(); ++i) {
      const auto c = static_cast<unsigned char>(name[i]);
      // 0xC2 0x80..0x9F are the control characters beyond ASCII.
      const bool high_control = c == 0xC2 && static_cast<unsigned char>(name[i + 1]) < 0xA0;
      if (c < 0x20 || c == 0x7F || high_control) reject("a tensor name holds a control character");
    }
  }

  std::uint64_t natural(const json::Value& value, const std::string& name, const char* what) const {
    if (!value.is_integer() || value.as_integer() < 0) {
      reject("tensor \"" + name + "\": " + what + " is not a natural number");
    }
    return static_cast<std::uint64_t>(value.as_integer());
  }

  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::size_t tensor = 0;
  };

  void parse_tensor(const std::string& name, const json::Value& entry) {
    if (file_.tensors.size() == kMaxTensors) reject("more than 65536 tensors", Status::limit);
    check_name(name);
    const json::Value* dtype = entry.find("dtype");
    const json::Value* shape = entry.find("shape");
    const json::Value* offsets = entry.find("data_offsets");
    if (!dtype || !shape || !offsets || entry.as_object().size() != 3 || !dtype->is_string() || !shape->is_array() ||
        !offsets->is_array() || offsets->as_array().size() != 2) {
      reject("tensor \"" + name + "\" needs exactly dtype, shape and two data_offsets");
    }
    Tensor tensor{.name = name, .dtype = dtype->as_string(), .shape = {}, .bytes = {}};
    const Range range{natural(offsets->as_array()[0], name, "an offset"),
                      natural(offsets->as_array()[1], name, "an offset"), file_.tensors.size()};
    if (range.end < range.begin) reject("tensor \"" + name + "\" ends before it begins");
    if (range.end - range.begin != byte_count(tensor, *shape)) {
      reject("tensor \"" + name + "\": its offsets do not match its shape and dtype");
    }
    ranges_.push_back(range);
    file_.tensors.push_back(std::move(tensor));
  }

  std::uint64_t byte_count(Tensor& tensor, const json::Value& shape) const {
    std::uint64_t bytes = dtype_size(tensor.dtype);
    if (bytes == 0) reject("tensor \"" + tensor.name + "\" has the unknown dtype \"" + tensor.dtype + "\"");
    if (shape.as_array().size() > kMaxRank) {
      reject("tensor \"" + tensor.name + "\" has more than 8 dimensions", Status::limit);
    }
    bool overflow = false;
    for (const json::Value& value : shape.as_array()) {
      const std::uint64_t extent = natural(value, tensor.name, "a dimension");
      tensor.shape.push_back(static_cast<std::int64_t>(extent));
      overflow |= __builtin_mul_overflow(bytes, extent, &bytes);
    }
    if (overflow) reject("tensor \"" + tensor.name + "\": its size overflows");
    return bytes;
  }

  // Tensors must fill the rest of the file exactly: no hole, no overlap, nothing behind.
  void check_layout() {
    std::vector<Range> order = ranges_;
    std::sort(order.begin(), order.end(),
              [](const Range& a, const Range& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
    std::uint64_t expected = 0;
    std::string before = "the start of the data";
    for (const Range& range : order) {
      const std::string name = "\"" + file_.tensors[range.tensor].name + "\"";
      if (range.begin != expected) {
        reject((range.begin < expected ? "overlap between " : "hole between ") + before + " and " + name);
      }
      expected = range.end;
      before = name;
    }
    const std::uint64_t present = size_ - raw_.size();
    if (expected != present) {
      reject("the header describes " + std::to_string(expected) + " bytes of data, the file has " +
             std::to_string(present));
    }
  }

  // Only here is memory taken for the data: its size has been proven against the file's.
  void read_data() {
    data_size_ = static_cast<std::size_t>(size_ - raw_.size());
    constexpr std::align_val_t kAligned{kAlignment};
    auto* memory = static_cast<std::byte*>(::operator new(std::max<std::size_t>(data_size_, 1), kAligned));
    file_.storage = std::shared_ptr<const std::byte[]>(
        memory, [](const std::byte* p) { ::operator delete(const_cast<std::byte*>(p), kAligned); });
    read_exactly(memory, data_size_);
    for (const Range& range : ranges_) {
      file_.tensors[range.tensor].bytes = {memory + range.begin, static_cast<std::size_t>(range.end - range.begin)};
    }
  }

  void verify_digest() {
    if (!file_.has_digest()) return;
    const std::size_t field = raw_.find(std::string(kDigestField) + file_.digest + '"');
    if (field == std::string::npos) reject("the digest is not written in its canonical form");
    raw_.replace(field + kDigestField.size(), kDigestDigits, kDigestDigits, '0');
    Digest digest;
    digest.update(raw_.data(), raw_.size());
    digest.update(file_.storage.get(), data_size_);
    if (digest.hex() != file_.digest) {
      reject("its digest is " + digest.hex() + ", expected " + file_.digest + ": the file was damaged or edited",
             Status::format, "another copy of the file, or train again");
    }
  }

  std::string path_;
  Descriptor descriptor_;
  std::uint64_t size_ = 0;
  std::size_t data_size_ = 0;
  std::string raw_;  // length and header as they lie in the file
  std::vector<Range> ranges_;
  File file_;
};

}  // namespace

std::size_t dtype_size(std::string_view dtype) {
  static constexpr std::pair<std::string_view, std::size_t> kSizes[] = {
      {"F64", 8}, {"I64", 8}, {"U64", 8}, {"F32", 4}, {"I32", 4}, {"U32", 4}, {"BF16", 2},
      {"F16", 2}, {"I16", 2}, {"U16", 2}, {"I8", 1},  {"U8", 1},  {"BOOL", 1}};
  for (const auto& [name, size] : kSizes) {
    if (name == dtype) return size;
  }
  return 0;
}

const Tensor* File::find(std::string_view name) const {
  for (const Tensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

const std::string* File::find_metadata(std::string_view key) const {
  for (const auto& [name, value] : metadata) {
    if (name == key) return &value;
  }
  return nullptr;
}

File read_safetensors(const std::string& path) { return Reader(path).read(); }

}  // namespace halfstep::internal::io
