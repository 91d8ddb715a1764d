#include <cmath>

#include "doctor/stored_values.hpp"
#include "halfstep/incident.hpp"
#include "halfstep/text.hpp"

namespace halfstep {

using namespace internal;

namespace {

std::string digits(double number) { return short_number(number, 7); }

std::string headline(const Incident& i) {
  std::string text = "step " + std::to_string(i.step);
  if (i.epoch > 0) text += " (epoch " + std::to_string(i.epoch) + ", batch " + std::to_string(i.batch) + ")";
  if (i.reason == IncidentReason::vanished) return text + ": " + i.tensor + " has no gradient left";
  text += ": " + (i.tensor.empty() ? std::string("the gradients") : i.tensor) + " is not finite";
  if (i.tensor.empty()) text.replace(text.find(" is not"), 7, " are not");
  if (i.count > 1) text += " in " + std::to_string(i.count) + " places";
  return text;
}

bool is_weight(const Incident& i) { return i.row != i.batch_row; }

std::string place(const Incident& i) {
  const std::string column = i.column < 0 ? "" : std::to_string(i.column);
  std::string text;
  if (i.row >= 0 && is_weight(i)) {
    text = "element [" + std::to_string(i.row) + (column.empty() ? "" : ", " + column) + "]";
    if (i.batch_row >= 0) text += ", mostly of row " + std::to_string(i.batch_row);
  } else if (i.row >= 0) {
    text = "row " + std::to_string(i.row) + (column.empty() ? "" : ", column " + column);
  }
  if (!i.place.empty()) text += (text.empty() ? "" : " (") + i.place + (text.empty() ? "" : ")");
  return text;
}

std::string value(const Incident& i) {
  if (std::isnan(i.value)) return "NaN, out of the " + i.operation;
  if (std::isinf(i.value)) return digits(i.value) + ", out of the " + i.operation;
  const std::string from = i.operation == "rounding" ? "" : ", out of the " + i.operation;
  if (i.limit > 0 && std::fabs(i.value) > i.limit) {
    return digits(i.value) + from + ", does not fit " + std::string(name(i.storage)) + ", whose largest is " +
           digits(i.limit);
  }
  return digits(i.value) + from;
}

}  // namespace

std::string text(const Incident& i) {
  std::string out = headline(i) + "\n";
  const bool has_place = i.reason != IncidentReason::vanished;
  if (const std::string where = place(i); has_place && !where.empty())
    out += "  where   " + where + ": " + value(i) + "\n";
  if (!i.why.empty()) out += "  why     " + i.why + "\n";
  if (!i.advice.empty()) out += "  try     " + i.advice + "\n";
  if (!i.tried.empty()) out += "  tried   " + i.tried + "\n";
  if (!i.capsule.empty()) out += "  replay  halfstep doctor replay " + i.capsule + "\n";
  return out;
}

}  // namespace halfstep
