// bench_gemm_peers: matrix products of halfstep beside those of other libraries; see ../README.md.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "halfstep/error.hpp"
#include "kernels/dispatch.hpp"
#include "peers/arguments.hpp"
#include "peers/report.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::peers;

namespace {

void write(const std::string& text, std::FILE* to = stdout) {
  std::fputs(text.c_str(), to);
  std::fflush(to);
}

// Every peer that was built in or, where names are given, those.
std::vector<Peer> wanted_peers(const std::vector<Library>& all, const std::vector<std::string>& names) {
  std::vector<Peer> known;
  for (const Library& library : all) known.insert(known.end(), library.peers.begin(), library.peers.end());
  if (names.empty()) return known;
  std::vector<Peer> wanted;
  for (const std::string& name : names) {
    const auto peer = std::find_if(known.begin(), known.end(), [&](const Peer& p) { return p.name == name; });
    if (peer == known.end()) {
      std::string list;
      for (const Peer& p : known) list += (list.empty() ? "" : ", ") + std::string(p.name);
      throw Error(Status::invalid_argument, {.what = "'" + name + "' is unknown or was not found by the build",
                                             .where = "--peers",
                                             .why = {},
                                             .kept = {},
                                             .hint = list});
    }
    wanted.push_back(*peer);
  }
  return wanted;
}

// Sets the threads of every library. Peers of one that cannot have as many are left out, and stderr says so.
std::vector<Peer> peers_on(const std::vector<Library>& all, std::vector<Peer> peers, int threads) {
  for (const Library& library : all) {
    const std::string reason = library.set_threads(threads);
    if (reason.empty()) continue;
    const auto is_of_library = [&](const Peer& p) {
      return std::any_of(library.peers.begin(), library.peers.end(), [&](const Peer& q) { return q.name == p.name; });
    };
    if (std::erase_if(peers, is_of_library) > 0) {
      write("left out at " + std::to_string(threads) + " threads: " + reason + "\n", stderr);
    }
  }
  return peers;
}

void run(const Arguments& a) {
  const std::vector<Library> all = libraries();
  const std::vector<Peer> wanted = wanted_peers(all, a.peers);
  const KernelTable& kernels = select_isa(a.isa);
  std::string head = "halfstep " + std::string(kernels.name) + ", " + parallel_back_end();
  for (const Library& library : all) head += "; " + library.description;
  write(head + "\n", a.json ? stderr : stdout);
  if (!a.json) write(table_head(wanted));

  std::vector<RaceResult> results;
  for (const int threads : a.threads) {
    const ParallelLimit limit(threads);
    const std::unique_ptr<Executor> executor = make_executor(threads);
    const std::vector<Peer> peers = peers_on(all, wanted, threads);
    for (const Dtype dtype : a.dtypes) {
      for (const Layer& layer : a.layers) {
        for (const Product product : a.products) {
          results.push_back(race(kernels, *executor, peers, shape_of(layer, product, dtype), a.repetitions));
          write(a.json ? json_line(results.back()) : table_row(wanted, results.back()));
        }
      }
    }
  }
  write(a.json ? summary_json(wanted, results) : summary_table(wanted, results));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  try {
    const Arguments arguments = parse_arguments(words);
    if (arguments.help) {
      write(kUsage);
    } else {
      run(arguments);
    }
    return 0;
  } catch (const Error& e) {
    write("bench_gemm_peers: " + std::string(e.what()) + "\n", stderr);
    return e.status() == Status::invalid_argument ? 2 : 1;
  } catch (const std::exception& e) {
    write("bench_gemm_peers: " + std::string(e.what()) + "\n", stderr);
    return 1;
  }
}
