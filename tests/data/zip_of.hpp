// NPY arrays and ZIP archives by hand, for tests and for fuzzing.
#pragma once
#if HS_HAVE_ZLIB
#include <zlib.h>
#endif

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/crc32.hpp"

namespace halfstep::internal::data::testing {

// As numpy.save writes it, version 1.
inline std::string npy_of(const std::string& type, const std::string& shape, std::string_view values,
                          bool fortran = false) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  const auto length = static_cast<unsigned>(header.size());
  return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(length & 0xff) + static_cast<char>(length >> 8) +
         header + std::string(values);
}

struct ZipPart {
  std::string name;
  std::string bytes;
};

namespace zip_parts {

inline std::string number(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += i < 8 ? static_cast<char>(value >> (8 * i) & 0xff) : '\0';
  return bytes;
}

#if HS_HAVE_ZLIB
inline std::string deflated(std::string_view text) {
  z_stream z{};
  if (deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}
#endif

}  // namespace zip_parts

// As numpy.savez writes it, or with `packed` numpy.savez_compressed: the heads of the members say ZIP64, the list does
// not. With `wide` that does too, as it would be for sizes beyond 4 GB.
inline std::string zip_of(const std::vector<ZipPart>& parts, [[maybe_unused]] bool packed = false, bool wide = false) {
  using zip_parts::number;
  std::string out, list;
  const auto narrow = [&](std::uint64_t value, int width) { return number(wide ? ~std::uint64_t{0} : value, width); };
  for (const ZipPart& part : parts) {
    std::string bytes = part.bytes;
    std::uint64_t method = 0;
#if HS_HAVE_ZLIB
    if (packed) bytes = zip_parts::deflated(part.bytes), method = 8;
#endif
    const std::string crc = number(crc32(part.bytes), 4);
    const std::string common = number(0, 2) + number(method, 2) + number(0, 4) + crc;  // flags, method, time, sum
    // Behind a field of another kind.
    const std::string extra = number(0x7075, 2) + number(2, 2) + "up" + number(1, 2) + number(24, 2) +
                              number(part.bytes.size(), 8) + number(bytes.size(), 8) + number(out.size(), 8);
    list += "PK\1\2" + number(45, 2) + number(45, 2) + common + narrow(bytes.size(), 4) + narrow(part.bytes.size(), 4) +
            number(part.name.size(), 2) + number(wide ? extra.size() : 0, 2) + number(0, 10) + narrow(out.size(), 4) +
            part.name + (wide ? extra : "");
    out += "PK\3\4" + number(45, 2) + common + number(0xffffffff, 4) + number(0xffffffff, 4) +
           number(part.name.size(), 2) + number(20, 2) + part.name + number(1, 2) + number(16, 2) +
           number(part.bytes.size(), 8) + number(bytes.size(), 8) + bytes;
  }
  const std::uint64_t count = parts.size();
  const std::string wide_end = "PK\6\6" + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 8) +
                               number(count, 8) + number(count, 8) + number(list.size(), 8) + number(out.size(), 8) +
                               "PK\6\7" + number(0, 4) + number(out.size() + list.size(), 8) + number(1, 4);
  return out + list + (wide ? wide_end : "") + "PK\5\6" + number(0, 4) + narrow(count, 2) + narrow(count, 2) +
         narrow(list.size(), 4) + narrow(out.size(), 4) + number(0, 2);
}

}  // namespace halfstep::internal::data::testing
