// The job that holds several runs against each other.
#include <cerrno>
#include <cstdio>

#include "halfstep/error.hpp"
#include "halfstep/info.hpp"
#include "halfstep/jobs.hpp"
#include "io/posix.hpp"
#include "io/safe_file.hpp"
#include "report/compare_page.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;

[[noreturn]] void fail_read(Status status, const std::string& path, std::string why) {
  throw Error(status,
              {.what = "cannot read the metrics file", .where = path, .why = std::move(why), .kept = {}, .hint = {}});
}

std::string read_all(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) fail_read(Status::io, path, io::errno_text(errno));
  std::string text;
  int code = 0;
  try {
    char part[1 << 16];
    std::size_t count = 0;
    while ((count = std::fread(part, 1, sizeof part, file)) > 0 && text.size() <= kMostBytes) text.append(part, count);
    if (std::ferror(file) != 0) code = errno;
  } catch (...) {
    (void)std::fclose(file);
    throw;
  }
  (void)std::fclose(file);
  if (code != 0) fail_read(Status::io, path, io::errno_text(code));
  if (text.size() > kMostBytes) fail_read(Status::limit, path, "it is larger than 1 GiB");
  return text;
}

}  // namespace

std::vector<RunFigures> compare_runs(const std::vector<std::string>& metrics, const std::string& out) {
  std::vector<NamedFile> read;
  for (const std::string& path : metrics) read.push_back({"a metrics file", path});
  const NamedFile written = {"--out", out};
  check_apart(std::span(&written, 1), read);
  std::vector<report::MetricsFile> files;
  std::vector<RunFigures> figures;
  for (const std::string& path : metrics) {
    files.push_back(report::read_metrics(path, read_all(path)));
    figures.push_back(report::figures_of(files.back()));
  }
  const std::string page = report::compare_page(files, version());
  const io::Bytes bytes = io::as_bytes(page);
  io::write_file_atomic(out, std::span(&bytes, 1));
  return figures;
}

}  // namespace halfstep
