// The list of parameters for other programs.
#include <string>

#include "halfstep/options.hpp"
#include "halfstep/text.hpp"

namespace halfstep {

std::string parameters_json() {
  std::string json = "[";
  for (const ParameterInfo& info : parameters()) {
    if (json.size() > 1) json += ',';
    json += R"({"name":)" + json_text(info.name) + R"(,"type":)" + json_text(info.type) + R"(,"default":)" +
            json_text(info.default_value) + R"(,"range":)" + json_text(info.range) + R"(,"help":)" +
            json_text(info.help) + "}";
  }
  return json + "]";
}

}  // namespace halfstep
