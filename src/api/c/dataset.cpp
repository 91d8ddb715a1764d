// hs_dataset_... of halfstep.h.
#include <algorithm>
#include <memory>
#include <utility>

#include "api/c/arguments.hpp"
#include "api/c/handles.hpp"

using namespace halfstep;
using namespace halfstep::internal::c_abi;

hs_status hs_dataset_create_classes(const hs_matrix* x, const int32_t* labels, uint64_t label_count, uint64_t classes,
                                    hs_dataset** out) {
  return call_free([&] {
    hs_dataset*& made = place(out, "out");
    const auto of_rows = array(labels, label_count, "labels");
    const Rows rows(x);
    const auto count = static_cast<std::size_t>(classes);
    made = std::make_unique<hs_dataset>(Dataset::classes(rows.cols(), rows.x(), of_rows, count)).release();
  });
}

hs_status hs_dataset_create_values(const hs_matrix* x, const float* values, uint64_t value_count, hs_dataset** out) {
  return call_free([&] {
    hs_dataset*& made = place(out, "out");
    const auto of_rows = array(values, value_count, "values");
    const Rows rows(x);
    const std::size_t count = rows.x().size() / std::max<std::size_t>(rows.cols(), 1);
    const std::size_t outputs = count > 0 && of_rows.size() % count == 0 ? of_rows.size() / count : 1;
    made =
        std::make_unique<hs_dataset>(Dataset::values(rows.cols(), rows.x(), of_rows, std::max<std::size_t>(outputs, 1)))
            .release();
  });
}

hs_status hs_dataset_read(const char* path, const hs_config* config, hs_dataset** out) {
  Log log;
  return call_free([&] {
    hs_dataset*& made = place(out, "out");
    auto set = std::make_unique<hs_dataset>(Dataset::read(text(path, "path"), options_of(config)));
    log.open(config);
    for (const std::string& note : set->data.notes()) log(HS_LOG_NOTE, note);
    made = set.release();
  });
}

hs_status hs_dataset_destroy(hs_dataset* data) { return destroy(data); }

hs_status hs_dataset_shape(const hs_dataset* data, uint64_t* rows, uint64_t* features, uint64_t* classes) {
  return call_shared(data, [&](const hs_dataset& d) {
    for (uint64_t* out : {rows, features, classes}) {
      if (out != nullptr) place(out, "a result");
    }
    if (rows != nullptr) *rows = d.data.rows();
    if (features != nullptr) *features = d.data.features();
    if (classes != nullptr) *classes = d.data.class_names().size();
  });
}

hs_status hs_dataset_class_name(const hs_dataset* data, uint64_t index, char* buffer, uint64_t capacity,
                                uint64_t* needed) {
  return call_shared(data, [&](const hs_dataset& d) {
    const auto& names = d.data.class_names();
    if (index >= names.size()) refuse("there is no class of that index", "");
    give(names[static_cast<std::size_t>(index)], buffer, capacity, needed);
  });
}
