// The job that holds several runs against each other.
#include "halfstep/error.hpp"
#include "halfstep/info.hpp"
#include "halfstep/jobs.hpp"
#include "io/safe_file.hpp"
#include "report/compare_page.hpp"
#include "run/metrics_text.hpp"

namespace halfstep {

using namespace internal;
std::vector<RunFigures> compare_runs(const std::vector<std::string>& metrics, const std::string& out) {
  std::vector<NamedFile> read;
  for (const std::string& path : metrics) read.push_back({"a metrics file", path});
  const NamedFile written = {"--out", out};
  check_apart(std::span(&written, 1), read);
  std::vector<report::MetricsFile> files;
  std::vector<RunFigures> figures;
  for (const std::string& path : metrics) {
    files.push_back(report::read_metrics(path, read_metrics_text(path)));
    figures.push_back(report::figures_of(files.back()));
  }
  const std::string page = report::compare_page(files, version());
  const io::Bytes bytes = io::as_bytes(page);
  io::write_file_atomic(out, std::span(&bytes, 1));
  return figures;
}

}  // namespace halfstep
