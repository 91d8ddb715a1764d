// hs_model_... of halfstep.h.
#include <memory>

#include "api/c/arguments.hpp"
#include "api/c/handles.hpp"

using namespace halfstep;
using namespace halfstep::internal::c_abi;

hs_status hs_model_load(const char* path, const hs_config* config, hs_model** out) {
  return call_free([&] {
    hs_model*& made = place(out, "out");
    made = std::make_unique<hs_model>(Model(text(path, "path"), options_of(config))).release();
  });
}

hs_status hs_model_destroy(hs_model* model) { return destroy(model); }

hs_status hs_model_shape(const hs_model* model, uint64_t* inputs, uint64_t* outputs, uint64_t* classes) {
  return call_shared(model, [&](const hs_model& m) {
    for (uint64_t* out : {inputs, outputs, classes}) {
      if (out != nullptr) place(out, "a result");
    }
    if (inputs != nullptr) *inputs = m.model.spec().widths.front();
    if (outputs != nullptr) *outputs = m.model.spec().widths.back();
    if (classes != nullptr) *classes = m.model.class_names().size();
  });
}

hs_status hs_model_class_name(const hs_model* model, uint64_t index, char* buffer, uint64_t capacity,
                              uint64_t* needed) {
  return call_shared(model, [&](const hs_model& m) {
    const auto& names = m.model.class_names();
    if (index >= names.size()) refuse("there is no class of that index", "");
    give(names[static_cast<std::size_t>(index)], buffer, capacity, needed);
  });
}

hs_status hs_model_predict(const hs_model* model, const hs_matrix* x, float* buffer, uint64_t capacity,
                           uint64_t* needed) {
  return call_shared(model, [&](const hs_model& m) { predict_into(m.model, x, buffer, capacity, needed); });
}
