// hs_trainer_... of halfstep.h: parameters, states and files.
#include <algorithm>

#include "api/c/arguments.hpp"
#include "api/c/handles.hpp"

using namespace halfstep;
using namespace halfstep::internal::c_abi;

hs_status hs_trainer_parameter_count(hs_trainer* trainer, uint64_t* count) {
  return call(trainer, [&](hs_trainer& t) { place(count, "count") = t.trainer.parameters().size(); });
}

hs_status hs_trainer_parameter_name(hs_trainer* trainer, uint64_t index, char* buffer, uint64_t capacity,
                                    uint64_t* needed) {
  return call(trainer, [&](hs_trainer& t) {
    const auto list = t.trainer.parameters();
    if (index >= list.size()) refuse("there is no parameter of that index", "");
    give(list[static_cast<std::size_t>(index)].name, buffer, capacity, needed);
  });
}

hs_status hs_trainer_parameter_shape(hs_trainer* trainer, const char* name, uint64_t* buffer, uint64_t capacity,
                                     uint64_t* needed) {
  return call(trainer, [&](hs_trainer& t) {
    const auto list = t.trainer.parameters();
    const std::string_view wanted = text(name, "name");
    const auto found = std::find_if(list.begin(), list.end(), [&](const ParameterView& p) { return p.name == wanted; });
    if (found == list.end()) refuse("there is no parameter of that name", "");
    const std::vector<uint64_t> shape(found->shape.begin(), found->shape.end());
    give(std::span<const uint64_t>(shape), buffer, capacity, needed);
  });
}

hs_status hs_trainer_parameter_get(hs_trainer* trainer, const char* name, float* buffer, uint64_t capacity,
                                   uint64_t* needed) {
  return call(trainer, [&](hs_trainer& t) {
    const std::vector<float> values = t.trainer.parameter(text(name, "name"));
    give(std::span<const float>(values), buffer, capacity, needed);
  });
}

hs_status hs_trainer_parameter_set(hs_trainer* trainer, const char* name, const float* values, uint64_t count) {
  return call(trainer,
              [&](hs_trainer& t) { t.trainer.set_parameter(text(name, "name"), array(values, count, "values")); });
}

hs_status hs_trainer_state_get(hs_trainer* trainer, void* buffer, uint64_t capacity, uint64_t* needed) {
  return call(trainer, [&](hs_trainer& t) {
    const std::vector<std::byte> bytes = t.trainer.state();
    give(std::span<const std::byte>(bytes), static_cast<std::byte*>(buffer), capacity, needed);
  });
}

hs_status hs_trainer_state_set(hs_trainer* trainer, const void* bytes, uint64_t count) {
  return call(trainer,
              [&](hs_trainer& t) { t.trainer.set_state(array(static_cast<const std::byte*>(bytes), count, "bytes")); });
}

hs_status hs_trainer_save(hs_trainer* trainer, const char* path) {
  return call(trainer, [&](hs_trainer& t) { t.trainer.save(text(path, "path")); });
}
