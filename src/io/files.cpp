#include "halfstep/files.hpp"

#include "io/safe_file.hpp"

namespace halfstep {

using namespace internal;

void write_file(const std::string& path, std::string_view bytes) {
  const io::Bytes parts[] = {io::as_bytes(bytes)};
  io::write_file_atomic(path, parts);
}

void check_writable(const std::string& path) { io::write_probe(path); }

}  // namespace halfstep
