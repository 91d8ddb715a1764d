// The seam between the benchmark and the libraries that it compares halfstep with.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/operands.hpp"

namespace halfstep::peers {

using namespace internal;

// One product of a library, with its own copy of the operands of bench/operands.hpp in shape.dtype.
class PeerProduct {
 public:
  virtual ~PeerProduct() = default;
  virtual void run() = 0;
  virtual float result(std::size_t row, std::size_t column) const = 0;  // of the latest run
};

// One way to use a library.
struct Peer {
  std::string_view name;  // as in --peers and in the output
  bool only_fp32;         // make is then called with no other dtype
  // Null where the library has no product of this dtype on this CPU.
  std::unique_ptr<PeerProduct> (*make)(const GemmBenchShape& shape);
};

struct Library {
  std::string description;  // version, threads, and which of its kernels runs here
  std::vector<Peer> peers;
  // Makes products created from now on use this many threads. Returns why that cannot be, or nothing.
  std::string (*set_threads)(int threads);
};

// All that were found when this was built: each library is a file peer_<name>.cpp that defines <name>_library(), and a
// row in CMakeLists.txt.
std::vector<Library> libraries();

}  // namespace halfstep::peers
