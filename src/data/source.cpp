#include "data/source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <new>
#include <system_error>

#include "data/text.hpp"
#if HS_HAVE_ZLIB
#include <zlib.h>
#endif

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kFirstChunk = std::size_t{1} << 16;

[[noreturn]] void fail_io(const std::string& name, int error) {
  fail(Status::io, "cannot read the data", name, std::strerror(error));
}

[[noreturn]] void fail_limit(const std::string& name, std::uint64_t max_bytes) {
  fail(Status::limit, "input is too large", name, "more than " + std::to_string(max_bytes) + " bytes");
}

[[noreturn]] void fail_memory(const std::string& path) {
  fail(Status::out_of_memory, "not enough memory for the data", path, "the whole file is held in memory");
}

// Grows geometrically, never past the budget plus one byte: that byte shows that there is more.
void grow(Bytes& bytes, std::uint64_t max_bytes) {
  const std::uint64_t doubled = std::max<std::uint64_t>(kFirstChunk, std::uint64_t{bytes.size()} * 2);
  bytes.resize(static_cast<std::size_t>(std::min(doubled, max_bytes + 1)));
}

Bytes read_stream(std::FILE* file, const std::string& name, std::uint64_t size_hint, std::uint64_t max_bytes) {
  Bytes bytes(static_cast<std::size_t>(std::min(size_hint, max_bytes) + 1));
  std::size_t used = 0;
  for (;;) {
    errno = 0;
    const std::size_t got = std::fread(bytes.data() + used, 1, bytes.size() - used, file);
    used += got;
    if (used > max_bytes) fail_limit(name, max_bytes);
    if (used == bytes.size()) {
      grow(bytes, max_bytes);
    } else if (std::ferror(file) || !std::feof(file)) {
      fail_io(name, errno);
    } else {
      break;
    }
  }
  bytes.resize(used);
  return bytes;
}

Bytes read_file(const std::string& path, std::uint64_t max_bytes) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (std::filesystem::is_directory(status)) {
    fail(Status::format, "cannot read the data", path, "it is a folder, not a file");
  }
  std::uint64_t size = kFirstChunk;
  if (std::filesystem::is_regular_file(status)) {
    const std::uint64_t real = std::filesystem::file_size(path, code);
    if (!code) size = real;
    if (!code && real > max_bytes) fail_limit(path, max_bytes);
  }
  errno = 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) fail_io(path, errno);
  return read_stream(file.get(), path, size, max_bytes);
}

bool has_gzip_magic(std::string_view text) {
  return text.size() >= 2 && text[0] == '\x1f' && static_cast<unsigned char>(text[1]) == 0x8b;
}

}  // namespace

#if HS_HAVE_ZLIB
namespace {

// A gzip wrapper and nothing else: gzread would take plain text and cut streams without a word. No wrapper at all.
constexpr int kGzip = 16 + MAX_WBITS, kRaw = -MAX_WBITS;

struct Inflater {
  z_stream stream{};
  explicit Inflater(int window_bits) {
    if (inflateInit2(&stream, window_bits) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

[[noreturn]] void fail_gzip(const std::string& name, std::string why, std::size_t offset) {
  fail(Status::format, "damaged gzip data", name + ", byte " + std::to_string(offset), std::move(why),
       "get or compress the file again");
}

// Inflates one member from the front of `packed`, appends to bytes[0, used) and returns the packed bytes taken.
std::size_t inflate_member(std::string_view packed, std::size_t offset, Bytes& bytes, std::size_t& used,
                           const std::string& name, std::uint64_t max_bytes) {
  constexpr std::size_t kMaxStep = std::size_t{1} << 30;  // zlib counts in unsigned int
  Inflater inflater(kGzip);
  z_stream& z = inflater.stream;
  std::size_t taken = 0;
  for (;;) {
    if (used > max_bytes) fail_limit(name, max_bytes);
    if (used == bytes.size()) grow(bytes, max_bytes);
    const std::size_t input = std::min(packed.size() - taken, kMaxStep);
    const std::size_t output = std::min(bytes.size() - used, kMaxStep);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + taken));
    z.avail_in = static_cast<uInt>(input);
    z.next_out = reinterpret_cast<Bytef*>(bytes.data() + used);
    z.avail_out = static_cast<uInt>(output);
    const int result = inflate(&z, Z_NO_FLUSH);
    taken += input - z.avail_in;
    used += output - z.avail_out;
    if (used > max_bytes) fail_limit(name, max_bytes);
    if (result == Z_STREAM_END) return taken;
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK && result != Z_BUF_ERROR) {
      fail_gzip(name, z.msg ? z.msg : "not a gzip stream", offset + taken);
    }
    if (taken == packed.size() && z.avail_out > 0) fail_gzip(name, "the stream is cut off", offset + taken);
  }
}

}  // namespace

// What a stream of one member says its size is (RFC 1952, modulo 2^32), within what a damaged one may cost.
std::uint64_t announced_size(std::string_view packed) {
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < 4 && packed.size() >= 4; ++i) {
    size |= std::uint32_t{static_cast<unsigned char>(packed[packed.size() - 4 + i])} << 8 * i;
  }
  return std::min(std::uint64_t{size}, std::uint64_t{packed.size()} * 16);
}

Bytes gunzip(std::string_view packed, const std::string& name, std::uint64_t max_bytes) {
  Bytes bytes(static_cast<std::size_t>(
      std::min(std::max<std::uint64_t>(kFirstChunk, announced_size(packed) + 1), max_bytes + 1)));
  std::size_t used = 0;
  std::size_t offset = 0;
  do {
    const std::string_view rest = packed.substr(offset);
    // Tapes and some programs fill the last block with zeros; gzip ignores them too.
    if (offset > 0 && rest.find_first_not_of('\0') == std::string_view::npos) break;
    if (!has_gzip_magic(rest) && offset > 0) fail_gzip(name, "bytes after the end of the stream", offset);
    if (!has_gzip_magic(rest) && rest.size() >= 2) fail_gzip(name, "named .gz but not compressed with gzip", offset);
    offset += inflate_member(rest, offset, bytes, used, name, max_bytes);
  } while (offset < packed.size());
  bytes.resize(used);
  return bytes;
}

Bytes inflate_raw(std::string_view packed, const std::string& name, std::uint64_t size) {
  constexpr std::size_t kMaxStep = std::size_t{1} << 30;
  constexpr std::uint64_t kBestRatio = 1032;  // of deflate: a size beyond that is a lie, and takes no memory
  const auto damaged = [&](const std::string& why) {
    fail(Status::format, "damaged deflated data", name, why, "copy or make the file again");
  };
  if (size / kBestRatio > packed.size()) damaged(std::to_string(size) + " bytes cannot come of so few");
  Bytes bytes(static_cast<std::size_t>(size) + 1);  // the one more shows that there is more
  Inflater inflater(kRaw);
  z_stream& z = inflater.stream;
  std::size_t taken = 0, used = 0;
  int result = Z_OK;
  while (result != Z_STREAM_END) {
    const std::size_t input = std::min(packed.size() - taken, kMaxStep),
                      output = std::min(bytes.size() - used, kMaxStep);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + taken));
    z.avail_in = static_cast<uInt>(input);
    z.next_out = reinterpret_cast<Bytef*>(bytes.data() + used);
    z.avail_out = static_cast<uInt>(output);
    result = inflate(&z, Z_NO_FLUSH);
    const std::size_t read = input - z.avail_in, written = output - z.avail_out;
    taken += read;
    used += written;
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) damaged(z.msg ? z.msg : "no such stream");
    if (used == bytes.size()) damaged("more bytes than the " + std::to_string(size) + " that the list says");
    if (result != Z_STREAM_END && read == 0 && written == 0) damaged("the stream is cut off");
  }
  if (used != size || taken != packed.size()) {
    damaged(std::to_string(used) + " bytes of " + std::to_string(taken) + " where the list says " +
            std::to_string(size) + " of " + std::to_string(packed.size()));
  }
  bytes.resize(used);
  return bytes;
}

std::string version_of_zlib() { return zlibVersion(); }
#else
Bytes gunzip(std::string_view, const std::string& name, std::uint64_t) {
  fail(Status::unsupported, "cannot read gzip data", name, "this halfstep was built without zlib",
       "unpack the file first (gunzip)");
}

Bytes inflate_raw(std::string_view, const std::string& name, std::uint64_t) {
  fail(Status::unsupported, "cannot read deflated data", name, "this halfstep was built without zlib",
       "numpy.savez, which does not compress");
}

std::string version_of_zlib() { return {}; }
#endif

Source read_source(const std::string& path, std::uint64_t max_bytes) {
  try {
    Source source;
    source.name = path == "-" ? "standard input" : path;
    source.bytes = path == "-" ? read_stream(stdin, source.name, kFirstChunk, max_bytes) : read_file(path, max_bytes);
    if (path.ends_with(".gz") || has_gzip_magic(source.text())) {
      source.bytes = gunzip(source.text(), source.name, max_bytes);
    }
    return source;
  } catch (const std::bad_alloc&) {
    fail_memory(path);
  } catch (const Error& error) {
    if (error.status() == Status::out_of_memory) fail_memory(path);
    throw;
  }
}

}  // namespace halfstep::internal::data
