#include "data/labels.hpp"

#include "data/idx.hpp"
#include "data/npy.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {

void attach_labels(Matrix& images, const std::string& source, const Source& labels) {
  images.labels_source = labels.name;
  images.labels = is_npy(labels.text()) ? parse_npy_labels(labels) : parse_idx_labels(labels);
  if (images.labels.size() == images.rows) return;
  fail(Status::format, "images and labels do not belong together", source + " and " + labels.name,
       std::to_string(images.rows) + " images but " + std::to_string(images.labels.size()) + " labels",
       "name the file of their labels with --labels");
}

RawData read_array(const Source& array, const Source* labels, const Options& options, const Recipe* known) {
  RawData raw = parse_npy(array, labels, options, known);
  auto* const images = std::get_if<Matrix>(&raw.content);
  if (images != nullptr && labels != nullptr) attach_labels(*images, array.name, *labels);
  return raw;
}

}  // namespace halfstep::internal::data
