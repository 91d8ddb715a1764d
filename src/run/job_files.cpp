#include "run/job_files.hpp"

#include <filesystem>
#include <system_error>

#include "data/idx.hpp"
#include "halfstep/jobs.hpp"

namespace halfstep {

using namespace internal;
namespace {

namespace fs = std::filesystem;

bool names_idx(const std::string& name) {
  return name.find("-ubyte") != std::string::npos || name.find(".idx") != std::string::npos;
}

// A file, or those of a folder that look like parts of a data set.
void add_set(const std::string& role, const std::string& path, bool find_labels, std::vector<NamedFile>& files) {
  files.push_back({role, path});
  std::error_code code;
  if (path == "-") return;
  for (fs::directory_iterator entry(path, code), end; !code && entry != end; entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (names_idx(name)) files.push_back({"a file of " + role, entry->path().string()});
  }
  if (!find_labels || !names_idx(fs::path(path).filename().string())) return;
  const std::string labels = data::find_idx_labels(path);
  if (!labels.empty()) files.push_back({"the labels of " + role, labels});
}

}  // namespace

namespace internal {

std::string model_path(const Options& options) { return options.out.empty() ? "model.safetensors" : options.out; }

static std::string beside(const std::string& model, const char* what) {
  const fs::path path(model);
  return (path.parent_path() / (path.stem().string() + what + path.extension().string())).string();
}

std::string last_good_path(const std::string& model) { return beside(model, ".last-good"); }

std::string capsule_path(const Options& options) {
  return options.capsule == "auto" ? beside(model_path(options), ".capsule") : options.capsule;
}

}  // namespace internal

std::vector<NamedFile> files_read(const std::string& data, const Options& options) {
  std::vector<NamedFile> files;
  add_set("the data", data, options.labels.empty(), files);
  if (!options.labels.empty()) files.push_back({"--labels", options.labels});
  if (!options.test.empty()) add_set("--test", options.test, true, files);
  if (!options.init_from.empty()) files.push_back({"--init-from", options.init_from});
  if (!options.resume.empty() && options.resume != "auto") files.push_back({"--resume", options.resume});
  return files;
}

std::vector<NamedFile> files_written(const Options& options) {
  const std::string model = model_path(options);
  std::vector<NamedFile> files = {{"--out", model}, {"the last good weights of --out", last_good_path(model)}};
  if (options.capsule != "none") files.push_back({"--capsule", capsule_path(options)});
  if (!options.metrics.empty()) files.push_back({"--metrics", options.metrics});
  if (!options.report.empty()) files.push_back({"--report", options.report});
  return files;
}

}  // namespace halfstep
