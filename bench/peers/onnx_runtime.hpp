// ONNX Runtime through its C interface: the library of a Python wheel will do, no header of theirs is needed.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace halfstep::peers {

// The library, opened. Sessions must not outlive it. Throws Error(io) where the file is no such library, and
// Error(unsupported) where it is one that does not know our version of the interface.
class OnnxRuntime {
 public:
  explicit OnnxRuntime(const std::string& path);
  ~OnnxRuntime();
  const std::string& version() const { return version_; }

 private:
  friend class OnnxSession;
  struct Entries;
  std::unique_ptr<Entries> entries_;
  std::string version_;
};

struct OnnxSettings {
  bool packs = true;   // weights into its own layout when the session is made
  bool binds = false;  // inputs and outputs to a session once, not in every call
};

// A network on one thread, with all optimisations of the graph, and the batches that it will be asked about: their
// tensors, over memory of ours, are made beforehand.
class OnnxSession {
 public:
  // `batches`: [rows][inputs] each. Throws Error(internal) with what the library says.
  OnnxSession(const OnnxRuntime& runtime, const std::string& file, const OnnxSettings& settings,
              std::span<const std::vector<float>> batches, std::size_t rows, std::size_t outputs);
  ~OnnxSession();
  void run(std::size_t batch);
  const std::vector<float>& result() const { return out_; }  // [rows][outputs] of the last run

 private:
  struct Handles;
  const OnnxRuntime::Entries& entries_;
  std::vector<float> out_;
  std::unique_ptr<Handles> handles_;
};

}  // namespace halfstep::peers
