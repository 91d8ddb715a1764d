// JSON: what was read is written and read back to the same text.
#include "fuzz/support.hpp"
#include "text/json.hpp"
#include "text/utf8.hpp"

using namespace halfstep;
using namespace halfstep::internal;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  json::Value value;
  if (!fuzz::succeeds([&] { value = json::parse(fuzz::as_text(bytes, size)); })) return 0;
  const std::string written = json::dump(value);
  fuzz::require(is_utf8(written), "JSON is written as UTF-8", written);
  fuzz::require(written.find('\n') == std::string::npos, "JSON is written in one line", written);
  json::Value again;
  fuzz::require(fuzz::succeeds([&] { again = json::parse(written); }), "what was written can be read", written);
  fuzz::require(json::dump(again) == written, "reading and writing changes nothing", written);
  return 0;
}
