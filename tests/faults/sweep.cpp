// Sweeps of faults over the program from outside: sweep PROGRAM PRELOAD. Whatever fails, and whenever, a run ends with
// a documented exit code and one line, and files are the old ones or the new ones. Takes a sample of the allocations;
// all of them with HALFSTEP_TEST_EFFORT=exhaustive.
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>

#include <unistd.h>

#include "faults/run.hpp"
#include "support/effort.hpp"

namespace halfstep::faults {
namespace {

namespace fs = std::filesystem;

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      {"train",
       {"train", "tiny.csv", "--hidden", "3", "--steps", "3", "--threads", "1", "--quiet", "--out", "new.safetensors"},
       "new.safetensors"},
      {"train --threads 4",
       {"train", "tiny.csv", "--hidden", "3", "--steps", "3", "--threads", "4", "--quiet", "--out", "new.safetensors"},
       "new.safetensors"},
      {"train with a report",
       {"train", "tiny.csv", "--hidden", "3", "--steps", "3", "--threads", "1", "--quiet", "--out", "new.safetensors",
        "--report", "page.html"},
       "new.safetensors",
       false,
       "page.html"},
      {"train with checkpoints",
       {"train", "tiny.csv", "--hidden", "3", "--steps", "4", "--threads", "1", "--quiet", "--out", "new.safetensors",
        "--checkpoint-dir", "ck", "--checkpoint-every", "1", "--checkpoint-keep", "9", "--resume", "auto"},
       "new.safetensors",
       false,
       {},
       "ck"},
      {"train by way of the disk",
       {"train", "tiny.csv", "--hidden", "3", "--steps", "3", "--threads", "1", "--quiet", "--cache", ".", "--out",
        "new.safetensors"},
       "new.safetensors"},
      {"train on threads",
       {"train", "--hidden", "256,256", "--batch", "512", "--steps", "3", "--threads", "4", "--quiet", "--out",
        "new.safetensors"},
       "new.safetensors",
       true},
      {"eval", {"eval", "model.safetensors", "tiny.csv", "--quiet"}, ""},
      {"predict", {"predict", "model.safetensors", "tiny.csv", "--quiet", "--out", "new.csv"}, "new.csv"},
      {"inspect", {"inspect", "model.safetensors"}, ""},
  };
  return all;
}

// As "train with checkpoints", but the first that is lost ends it.
Command ending_early() {
  Command command = commands()[3];
  command.name += " that ends when one is lost";
  command.words.insert(command.words.end(), {"--on-save-error", "stop"});
  command.ends_early = true;
  return command;
}

// Every call where there are few; else the first ones, which are those before the program begins, and a sample.
void add_calls(std::vector<Fault>& faults, const Bench& bench, const std::string& kind, int error, long most) {
  const long calls = bench.calls(kind);
  const long every = test::exhaustive() || calls <= most ? 1 : calls / most;
  for (long at = 1; at <= calls; at += at < 20 ? 1 : every) {
    for (const bool for_ever : {false, true}) faults.push_back({kind, at, for_ever, error, 0});
  }
}

std::vector<Fault> faults_of(const Command& command, const Bench& bench) {
  constexpr long kMostMallocs = 60, kMostOthers = 1000;
  std::vector<Fault> faults;
  const std::size_t step = test::exhaustive() ? 1 : 10;
  for (std::size_t mib = 20; mib <= 300; mib += step) faults.push_back({{}, 0, false, 0, mib << 20});
  for (const char* kind : {"mmap", "thread", "throw"}) add_calls(faults, bench, kind, 0, kMostOthers);
  if (command.large) return faults;
  add_calls(faults, bench, "malloc", 0, kMostMallocs);
  for (const char* kind : {"open", "read", "write", "fsync", "rename", "close", "fallocate", "unlink", "link",
                           "truncate", "fopen", "fread", "fwrite", "fflush", "fclose"}) {
    for (const int error : {EIO, ENOSPC}) add_calls(faults, bench, kind, error, kMostOthers);
  }
  for (const char* kind : {"read", "write", "fread"}) add_calls(faults, bench, kind, 0, kMostOthers);
  return faults;
}

struct Report {
  std::mutex mutex;
  std::map<std::string, std::map<int, long>> codes;  // of each kind, how many runs ended with which
  long runs = 0, failures = 0;

  void add(const Fault& fault, int code, const std::string& wrong) {
    const std::lock_guard lock(mutex);
    ++runs;
    ++codes[fault.address_space > 0 ? "address space" : fault.kind][code];
    if (wrong.empty()) return;
    if (++failures <= 50) std::printf("FAILED: %s\n", wrong.c_str());
  }
  void print() const {
    for (const auto& [kind, counts] : codes) {
      std::printf("%-14s", kind.c_str());
      for (const auto& [code, count] : counts) std::printf("  exit %d: %ld", code, count);
      std::printf("\n");
    }
    std::printf("%ld runs, %ld failures\n", runs, failures);
  }
};

// The faults of one command, shared among some threads with a folder each.
void sweep(const Paths& paths, const Command& command, const fs::path& folder, Report& report) {
  const std::vector<Fault> faults = faults_of(command, Bench(paths, command, folder / "count"));
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(2u, std::thread::hardware_concurrency()); ++i) {
    threads.emplace_back([&, i] {
      Bench bench(paths, command, folder / std::to_string(i));
      for (std::size_t f = next++; f < faults.size(); f = next++) {
        int code = 0;
        const std::string wrong = bench.check(faults[f], code);
        report.add(faults[f], code, wrong);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  fs::remove_all(folder);
}

int sweep_all(const Paths& paths) {
  const fs::path folder = fs::temp_directory_path() / ("halfstep_faults_" + std::to_string(::getpid()));
  Report report;
  for (std::size_t i = 0; i < commands().size(); ++i) sweep(paths, commands()[i], folder / std::to_string(i), report);
  if (test::exhaustive()) sweep(paths, ending_early(), folder / "early", report);
  fs::remove_all(folder);
  report.print();
  return report.failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace halfstep::faults

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  if (argc != 3) return 2;
  try {
    return halfstep::faults::sweep_all({fs::absolute(argv[1]), fs::absolute(argv[2])});
  } catch (const std::exception& error) {
    std::printf("FAILED: %s\n", error.what());
    return 1;
  }
}
