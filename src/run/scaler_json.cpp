#include "run/scaler_json.hpp"

#include "run/bad_model.hpp"

namespace halfstep::internal {

// The names are those of PyTorch's state dictionary, and one of our own.
json::Value to_json(const GradScalerState& s) {
  return json::Object{{"scale", s.scale},
                      {"growth_factor", s.growth_factor},
                      {"backoff_factor", s.backoff_factor},
                      {"growth_interval", s.growth_interval},
                      {"_growth_tracker", s.growth_tracker},
                      {"credits", s.credits}};
}

GradScalerState scaler_from_json(const std::string& path, const json::Value& value) {
  GradScalerState s;
  s.scale = value.at("scale").as_number();
  if (!(s.scale > 0)) bad_model(path, "its loss scale is not positive");
  if (const json::Value* v = value.find("growth_factor")) s.growth_factor = v->as_number();
  if (const json::Value* v = value.find("backoff_factor")) s.backoff_factor = v->as_number();
  if (const json::Value* v = value.find("growth_interval")) s.growth_interval = v->as_integer();
  if (const json::Value* v = value.find("_growth_tracker")) s.growth_tracker = v->as_integer();
  if (const json::Value* v = value.find("credits")) s.credits = v->as_integer();
  if (!is_possible(s)) bad_model(path, "its loss scaler has a number that none has");
  return s;
}

}  // namespace halfstep::internal
