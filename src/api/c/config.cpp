// hs_config_... of halfstep.h.
#include <memory>
#include <utility>

#include "api/c/arguments.hpp"
#include "api/c/handles.hpp"

using namespace halfstep;
using namespace halfstep::internal::c_abi;

hs_status hs_config_create(hs_config** out) {
  return call_free([&] { place(out, "out") = std::make_unique<hs_config>().release(); });
}

hs_status hs_config_destroy(hs_config* config) { return destroy(config); }

const char* hs_config_message(const hs_config* config) { return message_of(config); }

hs_status hs_parameters_json(char* buffer, uint64_t capacity, uint64_t* needed) {
  return call_free([&] { give(parameters_json(), buffer, capacity, needed); });
}

hs_status hs_config_set_log(hs_config* config, hs_log callback, void* user_data) {
  return call(config, [&](hs_config& c) {
    c.log = callback;
    c.log_user_data = user_data;
  });
}

// The next two work on a copy: what fails in the midst changes nothing.
hs_status hs_config_set(hs_config* config, const char* name, const char* value) {
  return call(config, [&](hs_config& c) {
    Options changed = c.options;
    set_option(changed, text(name, "name"), text(value, "value"));
    c.options = std::move(changed);
  });
}

hs_status hs_config_read_file(hs_config* config, const char* path) {
  return call(config, [&](hs_config& c) {
    Options changed = c.options;
    read_config(changed, text(path, "path"));
    c.options = std::move(changed);
  });
}

hs_status hs_config_get(const hs_config* config, const char* name, char* buffer, uint64_t capacity, uint64_t* needed) {
  return call(config,
              [&](const hs_config& c) { give(get_option(c.options, text(name, "name")), buffer, capacity, needed); });
}
