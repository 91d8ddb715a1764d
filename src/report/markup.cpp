#include "report/markup.hpp"

#include <algorithm>
#include <cmath>

#include "halfstep/text.hpp"
#include "text/utf8.hpp"

namespace halfstep::internal::report {
namespace {

// U+200E, 200F, 202A to 202E, 2066 to 2069: a name with one of these could show its neighbours in another order.
bool turns_direction(std::string_view character) {
  if (character.size() != 3 || character[0] != '\xE2') return false;
  const auto second = static_cast<unsigned char>(character[1]), third = static_cast<unsigned char>(character[2]);
  if (second == 0x80) return third == 0x8E || third == 0x8F || (third >= 0xAA && third <= 0xAE);
  return second == 0x81 && third >= 0xA6 && third <= 0xA9;
}

std::string escaped(std::string_view raw) {
  const std::string text = printable(raw);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = std::max<std::size_t>(utf8_length(std::string_view(text).substr(i)), 1);
    const std::string_view character = std::string_view(text).substr(i, length);
    i += length;
    if (character == "&") {
      out += "&amp;";
    } else if (character == "<") {
      out += "&lt;";
    } else if (character == ">") {
      out += "&gt;";
    } else if (character == "\"") {
      out += "&quot;";
    } else if (character == "'") {
      out += "&#39;";
    } else if (turns_direction(character)) {
      const auto low = static_cast<unsigned char>(character[2]) & 0x3Fu;
      const unsigned code = 0x2000u | (static_cast<unsigned char>(character[1]) & 0x3Fu) << 6 | low;
      constexpr std::string_view kDigits = "0123456789abcdef";
      out += "\\u";
      for (const int shift : {12, 8, 4, 0}) out += kDigits[code >> shift & 0xF];
    } else {
      out += character;
    }
  }
  return out;
}

std::string start(std::string_view tag, Attributes attributes) {
  std::string text = "<" + std::string(tag);
  for (const auto& [name, value] : attributes) {
    if (value.empty()) continue;
    text += " " + std::string(name) + "=\"" + escaped(value) + "\"";
  }
  return text;
}

}  // namespace

Markup words(std::string_view text) { return {escaped(text)}; }

Markup element(std::string_view tag, Attributes attributes, const Markup& content) {
  return {start(tag, attributes) + ">" + content.text + "</" + std::string(tag) + ">"};
}

Markup element(std::string_view tag, const Markup& content) { return element(tag, {}, content); }

Markup element(std::string_view tag, std::string_view text) { return element(tag, {}, words(text)); }

Markup lone_element(std::string_view tag, Attributes attributes) { return {start(tag, attributes) + "/>"}; }

Markup table_of(const Table& table) {
  const auto kind = [&](std::size_t column) {
    return column < table.kinds.size() ? std::string_view(table.kinds[column]) : std::string_view();
  };
  Markup head;
  for (std::size_t i = 0; i < table.head.size(); ++i) {
    head += element("th", {{"class", kind(i)}}, words(table.head[i]));
  }
  Markup body;
  for (const std::vector<Markup>& row : table.rows) {
    Markup cells;
    for (std::size_t i = 0; i < row.size(); ++i) cells += element("td", {{"class", kind(i)}}, row[i]);
    body += element("tr", cells) + Markup{"\n"};
  }
  const Markup content = element("thead", element("tr", head)) + element("tbody", body);
  return element("div", {{"class", "scroll"}}, element("table", content));
}

Markup facts(const std::vector<std::pair<std::string, std::string>>& lines) {
  Markup content;
  for (const auto& [name, value] : lines) {
    if (!value.empty()) content += element("dt", name) + element("dd", value);
  }
  return content.empty() ? content : element("dl", content);
}

Markup section(std::string_view title, std::string_view lead, const Markup& content) {
  if (content.empty()) return {};
  Markup inside = element("h2", title);
  if (!lead.empty()) inside += element("p", {{"class", "lead"}}, words(lead));
  return element("section", inside + content) + Markup{"\n"};
}

Markup details(std::string_view title, const Markup& content) {
  return content.empty() ? content : element("details", element("summary", title) + content);
}

Markup paragraph(std::string_view text) { return element("p", text); }

std::string short_name(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t used = 0;
  while (used < most) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text.substr(used)), 1);
    if (used + length > most) break;
    used += length;
  }
  return std::string(text.substr(0, used)) + "…";
}

std::string count_text(std::int64_t count) {
  std::string digits = std::to_string(count), text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::size_t left = digits.size() - i;
    if (i > 0 && left % 3 == 0 && digits[i - 1] != '-' && digits.size() > 4) text += "\u202f";
    text += digits[i];
  }
  return text;
}

std::string percent_text(double share) {
  if (!std::isfinite(share)) return "nan";
  if (share > 0 && share < 1e-5) return "< 0.001\u202f%";
  return short_number(share * 100, 3) + "\u202f%";
}

std::string figure_text(double value) {
  if (std::isfinite(value) && value == std::floor(value) && std::fabs(value) < 1e15) {
    return count_text(static_cast<std::int64_t>(value));
  }
  return short_number(value, 4);
}

}  // namespace halfstep::internal::report
