// HTML that cannot be injected into: text becomes Markup by being escaped, and elements take nothing but Markup.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace halfstep::internal::report {

// Well-formed pieces of a page: every element is closed, as XML has it.
struct Markup {
  std::string text = {};

  Markup& operator+=(const Markup& other) {
    text += other.text;
    return *this;
  }
  friend Markup operator+(Markup a, const Markup& b) { return a += b; }
  bool empty() const { return text.empty(); }
};

// Any text, whatever it holds: what is special to HTML becomes an entity, control characters and bytes that are no
// UTF-8 become visible, and signs that turn the direction of writing are shown by their numbers.
Markup words(std::string_view text);

// Names and values; values are escaped.
using Attributes = std::initializer_list<std::pair<std::string_view, std::string_view>>;

Markup element(std::string_view tag, Attributes attributes, const Markup& content);
Markup element(std::string_view tag, const Markup& content);
Markup element(std::string_view tag, std::string_view text);
Markup lone_element(std::string_view tag, Attributes attributes);  // <br/>

// A row may be shorter than `head`. `kinds` are the classes of the columns: "n" for numbers, "w" for what may wrap.
struct Table {
  std::vector<std::string> head;
  std::vector<std::string> kinds;
  std::vector<std::vector<Markup>> rows;
};
Markup table_of(const Table& table);  // in a box that scrolls where the page is narrow

// "name: value" lines.
Markup facts(const std::vector<std::pair<std::string, std::string>>& lines);

// A heading and what belongs to it; nothing where that is empty.
Markup section(std::string_view title, std::string_view lead, const Markup& content);

// Closed until it is opened.
Markup details(std::string_view title, const Markup& content);

Markup paragraph(std::string_view text);

// The start of a long name.
std::string short_name(std::string_view text, std::size_t most = 60);

// Numbers for people: "12 345" with narrow blanks, "1.3 %", four significant digits.
std::string count_text(std::int64_t count);
std::string percent_text(double share);
std::string figure_text(double value);

}  // namespace halfstep::internal::report
