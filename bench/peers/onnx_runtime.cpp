#include "peers/onnx_runtime.hpp"

#include <dlfcn.h>

#include <cstdint>

#include "halfstep/error.hpp"
#include "peers/onnx_file.hpp"

namespace halfstep::peers {
namespace {

// Handles of the library are opaque, and the functions that we call stand at fixed places of a table that only grows.
// This version of it has all of them, and newer libraries give it as well.
constexpr std::uint32_t kTableVersion = 6;
using Handle = void*;
using Status = void*;  // null: success

// What the base hands out; OrtGetApiBase is the one symbol that is looked up.
struct Base {
  void* const* (*table)(std::uint32_t version);
  const char* (*version)();
};

constexpr int kWarnings = 2, kAllOptimisations = 99, kDeviceAllocator = 0, kDefaultMemory = 0, kFp32 = 1;

[[noreturn]] void fail(halfstep::Status status, std::string what, std::string why) {
  throw Error(status,
              {.what = std::move(what), .where = "--onnxruntime", .why = std::move(why), .kept = {}, .hint = {}});
}

}  // namespace

// The few entries that are used, by their place in the table.
struct OnnxRuntime::Entries {
  const char* (*error_message)(const void* status);                          // 2
  Status (*create_env)(int level, const char* name, Handle* out);            // 3
  Status (*create_session)(Handle env, const void* file, std::size_t bytes,  // 8
                           Handle options, Handle* out);
  Status (*run)(Handle session, Handle options, const char* const* input_names,  // 9
                const Handle* inputs, std::size_t input_count, const char* const* output_names,
                std::size_t output_count, Handle* outputs);
  Status (*create_session_options)(Handle* out);                         // 10
  Status (*set_optimisation)(Handle options, int level);                 // 23
  Status (*set_threads)(Handle options, int threads);                    // 24
  Status (*create_run_options)(Handle* out);                             // 39
  Status (*create_tensor)(Handle memory, void* data, std::size_t bytes,  // 49
                          const std::int64_t* shape, std::size_t dimensions, int type, Handle* out);
  Status (*create_cpu_memory)(int allocator, int kind, Handle* out);                  // 69
  void (*release_env)(Handle), (*release_status)(Handle), (*release_memory)(Handle);  // 92 93 94
  void (*release_session)(Handle), (*release_value)(Handle);                          // 95 96
  void (*release_run_options)(Handle), (*release_session_options)(Handle);            // 97 100
  Status (*set_config)(Handle options, const char* key, const char* value);           // 130
  Status (*run_bound)(Handle session, Handle options, Handle binding);                // 133
  Status (*create_binding)(Handle session, Handle* out);                              // 134
  void (*release_binding)(Handle);                                                    // 135
  Status (*bind_input)(Handle binding, const char* name, Handle value);               // 136
  Status (*bind_output)(Handle binding, const char* name, Handle value);              // 137
  void* library = nullptr;
  Handle env = nullptr;

  explicit Entries(void* const* table) {
    const auto entry = [table](std::size_t place, auto& function) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(table[place]);
    };
    entry(2, error_message);
    entry(3, create_env);
    entry(8, create_session);
    entry(9, run);
    entry(10, create_session_options);
    entry(23, set_optimisation);
    entry(24, set_threads);
    entry(39, create_run_options);
    entry(49, create_tensor);
    entry(69, create_cpu_memory);
    entry(92, release_env);
    entry(93, release_status);
    entry(94, release_memory);
    entry(95, release_session);
    entry(96, release_value);
    entry(97, release_run_options);
    entry(100, release_session_options);
    entry(130, set_config);
    entry(133, run_bound);
    entry(134, create_binding);
    entry(135, release_binding);
    entry(136, bind_input);
    entry(137, bind_output);
  }
  void check(Status status) const {
    if (status == nullptr) return;
    std::string why = error_message(status);
    release_status(status);
    fail(halfstep::Status::internal, "ONNX Runtime refuses", std::move(why));
  }
};

OnnxRuntime::OnnxRuntime(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) fail(halfstep::Status::io, "'" + path + "' cannot be loaded", dlerror());
  const auto base = reinterpret_cast<const Base* (*)()>(dlsym(library, "OrtGetApiBase"));
  if (base == nullptr) fail(halfstep::Status::io, "'" + path + "' is not ONNX Runtime", "it has no OrtGetApiBase");
  void* const* const table = base()->table(kTableVersion);
  if (table == nullptr) {
    fail(halfstep::Status::unsupported, "this ONNX Runtime is too old", "its interface is older than that of 1.6");
  }
  version_ = base()->version();
  entries_ = std::make_unique<Entries>(table);
  entries_->library = library;
  entries_->check(entries_->create_env(kWarnings, "halfstep", &entries_->env));
}

// The library stays in memory: its own threads and handlers at exit may outlive us.
OnnxRuntime::~OnnxRuntime() {
  if (entries_->env != nullptr) entries_->release_env(entries_->env);
}

// All that a session has made, released in the order in which one thing may need another.
struct OnnxSession::Handles {
  const OnnxRuntime::Entries& entries;
  const bool binds;
  Handle options = nullptr, session = nullptr, memory = nullptr, run_options = nullptr, output = nullptr;
  std::vector<Handle> inputs, bindings;

  ~Handles() {
    for (const Handle h : bindings) entries.release_binding(h);
    for (const Handle h : inputs) entries.release_value(h);
    if (output != nullptr) entries.release_value(output);
    if (run_options != nullptr) entries.release_run_options(run_options);
    if (session != nullptr) entries.release_session(session);
    if (options != nullptr) entries.release_session_options(options);
    if (memory != nullptr) entries.release_memory(memory);
  }
  Handle tensor(const float* data, std::size_t rows, std::size_t columns) const {
    const std::int64_t shape[] = {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)};
    Handle value = nullptr;
    entries.check(entries.create_tensor(memory, const_cast<float*>(data), rows * columns * sizeof(float), shape, 2,
                                        kFp32, &value));
    return value;
  }
  void bind(Handle input) {
    bindings.push_back(nullptr);
    entries.check(entries.create_binding(session, &bindings.back()));
    entries.check(entries.bind_input(bindings.back(), kOnnxInput, input));
    entries.check(entries.bind_output(bindings.back(), kOnnxOutput, output));
  }
};

OnnxSession::OnnxSession(const OnnxRuntime& runtime, const std::string& file, const OnnxSettings& settings,
                         std::span<const std::vector<float>> batches, std::size_t rows, std::size_t outputs)
    : entries_(*runtime.entries_), out_(rows * outputs) {
  const OnnxRuntime::Entries& e = entries_;
  handles_ = std::make_unique<Handles>(Handles{.entries = e, .binds = settings.binds, .inputs = {}, .bindings = {}});
  Handles& h = *handles_;
  e.check(e.create_session_options(&h.options));
  e.check(e.set_optimisation(h.options, kAllOptimisations));
  e.check(e.set_threads(h.options, 1));
  if (!settings.packs) e.check(e.set_config(h.options, "session.disable_prepacking", "1"));
  e.check(e.create_session(e.env, file.data(), file.size(), h.options, &h.session));
  e.check(e.create_cpu_memory(kDeviceAllocator, kDefaultMemory, &h.memory));
  e.check(e.create_run_options(&h.run_options));
  h.output = h.tensor(out_.data(), rows, outputs);
  for (const std::vector<float>& batch : batches) {
    h.inputs.push_back(h.tensor(batch.data(), rows, batch.size() / rows));
    if (settings.binds) h.bind(h.inputs.back());
  }
}

OnnxSession::~OnnxSession() = default;

void OnnxSession::run(std::size_t batch) {
  const Handles& h = *handles_;
  if (h.binds) return entries_.check(entries_.run_bound(h.session, h.run_options, h.bindings[batch]));
  const char* const input = kOnnxInput;
  const char* const output = kOnnxOutput;
  Handle result = h.output;
  entries_.check(entries_.run(h.session, nullptr, &input, &h.inputs[batch], 1, &output, 1, &result));
}

}  // namespace halfstep::peers
