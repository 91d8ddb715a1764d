// gzip: any bytes, and streams of our own, whole and damaged. The first byte of the input says which.
#include <zlib.h>

#include <algorithm>

#include "fuzz/support.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

constexpr std::uint64_t kBudget = std::uint64_t{1} << 20;

std::string gzip(std::string_view text, int level) {
  z_stream z{};
  fuzz::require(deflateInit2(&z, level, Z_DEFLATED, 16 + MAX_WBITS, 1, Z_DEFAULT_STRATEGY) == Z_OK, "zlib works");
  std::string out(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  fuzz::require(deflate(&z, Z_FINISH) == Z_STREAM_END, "zlib works");
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

void check_any(std::string_view packed) {
  data::Bytes bytes;
  fuzz::succeeds([&] { bytes = data::gunzip(packed, "input", kBudget); });
  fuzz::require(bytes.size() <= kBudget, "no more bytes than the budget");
}

// Members one after another are one text.
void check_whole(std::string_view text, std::size_t cut, int level) {
  const std::string packed = gzip(text.substr(0, cut), level) + gzip(text.substr(cut), level);
  data::Bytes bytes;
  fuzz::require(fuzz::succeeds([&] { bytes = data::gunzip(packed, "input", kBudget); }), "a whole stream is read");
  fuzz::require(std::string_view(bytes.data(), bytes.size()) == text, "packing and unpacking changes nothing");
  const bool fits = fuzz::succeeds([&] { data::gunzip(packed, "input", text.size() / 2); });
  fuzz::require(!fits || text.empty(), "more bytes than the budget are refused");
}

// The check sum is of the text: only a change of the header may pass.
void check_damaged(std::string_view text, std::size_t place, unsigned char change) {
  std::string packed = gzip(text, 6);
  place %= packed.size();
  const bool cut_off = change == 0;
  if (cut_off) packed.resize(place);
  if (!cut_off) packed[place] = static_cast<char>(packed[place] ^ change);
  data::Bytes bytes;
  if (!fuzz::succeeds([&] { bytes = data::gunzip(packed, "input", kBudget); })) return;
  fuzz::require(!cut_off, "a stream that is cut off is refused");
  fuzz::require(std::string_view(bytes.data(), bytes.size()) == text, "a damaged text is refused");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 4) return 0;
  const std::string_view rest = fuzz::as_text(bytes + 4, size - 4);
  const std::size_t place = bytes[1] * 256u + bytes[2];
  if (bytes[0] % 3 == 0) check_any(fuzz::as_text(bytes + 1, size - 1));
  if (bytes[0] % 3 == 1) check_whole(rest, std::min(place, rest.size()), bytes[3] % 10);
  if (bytes[0] % 3 == 2) check_damaged(rest, place, bytes[3]);
  return 0;
}
