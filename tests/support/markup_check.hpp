// Reads a page of a report as strictly as XML, and with less allowed: what is wrong with it, or nothing.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace halfstep::test {

class MarkupCheck {
 public:
  // "" where the page is well-formed and has no element or attribute that could run or fetch something.
  static std::string problem(std::string_view page) { return MarkupCheck(page).run(); }

 private:
  using Word = std::string_view;

  static constexpr std::array<Word, 42> kElements = {
      "html", "head",       "meta",  "title", "style", "body", "main",   "header", "footer",  "section", "h1",
      "h2",   "h3",         "p",     "div",   "span",  "b",    "i",      "ul",     "li",      "dl",      "dt",
      "dd",   "table",      "thead", "tbody", "tr",    "th",   "td",     "code",   "details", "summary", "figure",
      "svg",  "figcaption", "g",     "path",  "rect",  "text", "circle", "br",     "br"};
  static constexpr std::array<Word, 21> kAttributes = {
      "class", "lang",  "charset", "http-equiv", "content", "name", "role",        "aria-label", "viewBox", "d",    "x",
      "y",     "width", "height",  "cx",         "cy",      "r",    "text-anchor", "transform",  "title",   "style"};

  explicit MarkupCheck(Word page) : rest_(page) {}

  std::string run() {
    constexpr Word kStart = "<!DOCTYPE html>\n";
    if (!rest_.starts_with(kStart)) return "no doctype";
    rest_.remove_prefix(kStart.size());
    while (!rest_.empty() && problem_.empty()) {
      if (rest_[0] == '<') {
        tag();
      } else {
        text(rest_.substr(0, rest_.find('<')));
      }
    }
    if (problem_.empty() && !open_.empty()) fail("not closed", open_.back());
    return problem_;
  }

  void fail(const char* what, Word where) {
    if (problem_.empty()) problem_ = std::string(what) + ": " + std::string(where.substr(0, 80));
  }

  void text(Word part) {
    if (!open_.empty() && open_.back() == "style") return rest_.remove_prefix(part.size());
    check_text(part);
    rest_.remove_prefix(part.size());
  }

  void check_text(Word part) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      const auto byte = static_cast<unsigned char>(part[i]);
      if ((byte < 0x20 && byte != '\n') || byte == 0x7F) fail("a control character", part.substr(i));
      if (byte == 0xC2 && i + 1 < part.size() && static_cast<unsigned char>(part[i + 1]) < 0xA0) {
        fail("a control character", part.substr(i));
      }
      if (part[i] == '<' || part[i] == '>') fail("a bare sign", part.substr(i));
      if (part[i] != '&') continue;
      const Word entity = part.substr(i);
      const auto known = [&](Word name) { return entity.starts_with(name); };
      if (!known("&amp;") && !known("&lt;") && !known("&gt;") && !known("&quot;") && !known("&#39;")) {
        fail("a bare &", entity);
      }
    }
  }

  void tag() {
    const std::size_t end = rest_.find('>');
    if (end == Word::npos) return fail("a tag without end", std::exchange(rest_, {}));
    Word inside = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    if (inside.starts_with('/')) {
      inside.remove_prefix(1);
      if (open_.empty() || open_.back() != inside) return fail("closed, and not the last that was opened", inside);
      return open_.pop_back();
    }
    const bool lone = inside.ends_with('/');
    if (lone) inside.remove_suffix(1);
    const Word name = inside.substr(0, inside.find(' '));
    if (std::find(kElements.begin(), kElements.end(), name) == kElements.end()) fail("an element", name);
    attributes(inside.substr(name.size()));
    if (!lone) open_.push_back(name);
  }

  void attributes(Word list) {
    while (!list.empty() && problem_.empty()) {
      const std::size_t equals = list.find("=\"");
      if (list[0] != ' ' || equals == Word::npos) return fail("attributes", list);
      const Word name = list.substr(1, equals - 1);
      if (std::find(kAttributes.begin(), kAttributes.end(), name) == kAttributes.end()) fail("an attribute", name);
      list.remove_prefix(equals + 2);
      const std::size_t end = list.find('"');
      if (end == Word::npos) return fail("a value without end", list);
      check_text(list.substr(0, end));
      if (name == "style" && !list.starts_with("width:")) fail("a style", list);
      list.remove_prefix(end + 1);
    }
  }

  Word rest_;
  std::vector<Word> open_;
  std::string problem_;
};

}  // namespace halfstep::test
