#include "halfstep/options.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>
#include <system_error>

#include "halfstep/error.hpp"
#include "halfstep/text.hpp"
#include "run/options_registry.hpp"

namespace halfstep {

using namespace internal;
namespace {

using options::Entry;

std::string with_dashes(std::string_view name) {
  std::string text(name);
  for (char& c : text) c = c == '_' ? '-' : c;
  return text;
}

const Entry& find_entry(std::string_view name) {
  const std::string wanted = with_dashes(name);
  std::vector<std::string_view> names;
  for (const Entry& entry : options::registry()) {
    if (entry.name == wanted) return entry;
    names.push_back(entry.name);
  }
  const std::string_view near = nearest_name(name, names);
  throw Error(Status::invalid_argument,
              {.what = "unknown parameter",
               .where = "--" + std::string(name),
               .why = {},
               .kept = {},
               .hint = near.empty() ? "halfstep params" : "did you mean --" + std::string(near) + "?"});
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// A '#' starts a comment at the start of a line or after a blank, so that a value may hold one; quotes keep
// everything.
std::string_view value_of(std::string_view text) {
  text = trim(text);
  if (text.starts_with('"')) {
    const std::size_t end = text.find('"', 1);
    if (end != std::string_view::npos && (std::string(trim(text.substr(end + 1))) + "#").starts_with('#')) {
      return text.substr(1, end - 1);
    }
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t')) return trim(text.substr(0, i));
  }
  return text;
}

std::string read_text(const std::string& path) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  auto fail = [&](Status status, std::string why) -> std::string {
    throw Error(status,
                {.what = "cannot read the config file", .where = path, .why = std::move(why), .kept = {}, .hint = {}});
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) return fail(Status::io, std::generic_category().message(errno));
  std::string text(kMost + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get())) return fail(Status::io, std::generic_category().message(errno));
  if (text.size() > kMost) return fail(Status::limit, "it is larger than 1 MiB");
  return text;
}

struct ConfigReader {
  Options options;  // a copy: a file with an error changes nothing
  const std::string& path;
  std::map<std::string, std::size_t> seen;  // line of each key

  [[noreturn]] void fail(std::size_t line, std::string what, std::string why, std::string hint = {}) const {
    throw Error(Status::invalid_argument, {.what = std::move(what),
                                           .where = path + ", line " + std::to_string(line),
                                           .why = std::move(why),
                                           .kept = {},
                                           .hint = std::move(hint)});
  }

  void read_line(std::string_view text, std::size_t line) {
    text = trim(text);
    if (text.empty() || text.starts_with('#')) return;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) fail(line, "not a parameter", "expected key = value");
    const std::string key = with_dashes(trim(text.substr(0, equals)));
    const auto [first, fresh] = seen.emplace(key, line);
    if (!fresh) fail(line, "key \"" + key + "\" given twice", "first on line " + std::to_string(first->second));
    try {
      set_option(options, key, value_of(text.substr(equals + 1)));
    } catch (const Error& error) {
      const ErrorParts& parts = error.parts();
      fail(line, parts.what, parts.where + (parts.why.empty() ? "" : ": " + parts.why), parts.hint);
    }
  }
};

}  // namespace

std::span<const ParameterInfo> parameters() {
  static const std::vector<std::string> defaults = [] {
    std::vector<std::string> texts;
    for (const Entry& entry : options::registry()) texts.push_back(entry.get(Options{}));
    return texts;
  }();
  static const std::vector<ParameterInfo> infos = [] {
    std::vector<ParameterInfo> list;
    for (const Entry& entry : options::registry()) {
      list.push_back({entry.name, entry.type, defaults[list.size()], entry.range, entry.help});
    }
    return list;
  }();
  return infos;
}

void set_option(Options& options, std::string_view name, std::string_view value) {
  const Entry& entry = find_entry(name);
  if (value.find('\0') != std::string_view::npos) {
    throw Error(Status::invalid_argument, {.what = "bad value",
                                           .where = "--" + std::string(entry.name),
                                           .why = "it holds a NUL byte",
                                           .kept = {},
                                           .hint = {}});
  }
  entry.set(options, value);
  options.named.emplace_back(entry.name);
}

std::string get_option(const Options& options, std::string_view name) { return find_entry(name).get(options); }

bool internal::options::is_given(const Options& options, std::string_view name) {
  static const Options defaults;
  const auto& named = options.named;
  return std::find(named.begin(), named.end(), name) != named.end() ||
         get_option(options, name) != get_option(defaults, name);
}

void read_config(Options& options, const std::string& path) {
  const std::string text = read_text(path);
  ConfigReader reader{options, path, {}};
  std::string_view rest = text;
  for (std::size_t line = 1; !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    reader.read_line(rest.substr(0, end), line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  options = reader.options;
}

}  // namespace halfstep
