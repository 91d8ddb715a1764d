// Parameters from a config file (first byte even) or from words of a command line (odd; separated by NUL bytes).
#include <algorithm>
#include <charconv>

#include "cli/args.hpp"
#include "fuzz/support.hpp"
#include "halfstep/options.hpp"
#include "run/options_registry.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

std::vector<std::string> all_values(const Options& of) {
  std::vector<std::string> values;
  for (const options::Entry& entry : options::registry()) values.push_back(entry.get(of));
  return values;
}

// The promise of get_option: set_option accepts it, and nothing is lost on the way.
void check_round_trip(const Options& options) {
  Options copy;
  for (const ParameterInfo& info : parameters()) {
    const std::string value = get_option(options, info.name);
    fuzz::require(fuzz::succeeds([&] { set_option(copy, info.name, value); }), "a value is accepted again", value);
  }
  fuzz::require(all_values(copy) == all_values(options), "get_option and set_option change nothing");
  fuzz::require(copy.hidden == options.hidden && copy.drop == options.drop && copy.missing == options.missing &&
                    copy.categorical == options.categorical && copy.layer_precision == options.layer_precision,
                "lists survive being text", get_option(options, "drop") + "|" + get_option(options, "missing"));
}

void check_config(std::string_view text) {
  const std::string path = fuzz::scratch() / "input.conf";
  test::write_bytes(path, std::string(text));
  Options options;
  if (!fuzz::succeeds([&] { read_config(options, path); })) {
    fuzz::require(all_values(options) == all_values(Options{}), "a file with an error changes nothing");
    return;
  }
  check_round_trip(options);
  fuzz::succeeds([&] { validate(options); });
}

// What stands between $' and ': bytes as \ooo, and a backslash before what is meant literally.
std::string take_ansi_c(std::string_view& rest) {
  std::string text;
  while (!rest.empty() && rest[0] != '\'') {
    unsigned byte = 0;
    const char* begin = rest.data() + 1;
    const bool escaped = rest[0] == '\\' && rest.size() > 1;
    const bool octal = escaped && rest.size() > 3 && std::from_chars(begin, begin + 3, byte, 8).ptr == begin + 3;
    const std::size_t length = octal ? 4 : escaped ? 2 : 1;
    text += octal ? static_cast<char>(byte) : rest[length - 1];
    rest.remove_prefix(length);
  }
  fuzz::cut_front(rest, '\'');
  return text;
}

// The words that a shell makes of a command without expansions, one blank between two.
std::vector<std::string> shell_words(std::string_view rest) {
  std::vector<std::string> words(1);
  while (!rest.empty()) {
    const char c = rest[0];
    const bool ansi_c = rest.starts_with("$'");
    rest.remove_prefix(ansi_c || (c == '\\' && rest.size() > 1) ? 2 : 1);
    if (ansi_c) {
      words.back() += take_ansi_c(rest);
    } else if (c == '\'') {
      words.back() += fuzz::cut_front(rest, '\'');
    } else if (c == ' ') {
      words.emplace_back();
    } else {
      words.back() += c == '\\' ? rest.data()[-1] : c;
    }
  }
  return words;
}

constexpr std::string_view kSome[] = {"threads", "isa", "header", "missing", "json", "quiet", "v"};
constexpr cli::Flag kOwn[] = {{"layout", "list", "forward", {}, {}}, {"m", "list", "512", {}, {}}};
constexpr cli::Command kCommands[] = {{"train", "", "", {}, 0, 1, nullptr},
                                      {"predict", "", "", kSome, 2, 2, nullptr},
                                      {"bench", "", "", kSome, 1, 1, nullptr, kOwn}};

void check_repeated(const cli::Args& args) {
  const std::string command = cli::repeat_command(args);
  const std::vector<std::string> texts = shell_words(command);
  const std::vector<std::string_view> words(texts.begin(), texts.end());
  cli::Args again;
  const bool accepted = fuzz::succeeds([&] { again = cli::parse_args(kCommands[0], std::span(words).subspan(2)); });
  fuzz::require(accepted, "the command that repeats a run is accepted", command);
  fuzz::require(all_values(again.options) == all_values(args.options), "it repeats the run", command);
  fuzz::require(again.positional == args.positional, "on the same data", command);
}

void check_words(std::string_view text) {
  std::vector<std::string_view> words;
  const std::size_t which = text.empty() ? 0 : static_cast<unsigned char>(text[0]) % 3;
  text.remove_prefix(std::min<std::size_t>(text.size(), 1));
  while (!text.empty()) words.push_back(fuzz::cut_front(text, '\0'));
  cli::Args args;
  if (!fuzz::succeeds([&] { args = cli::parse_args(kCommands[which], words); })) return;
  check_round_trip(args.options);
  if (which == 0 && !args.help) check_repeated(args);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest = fuzz::as_text(bytes + 1, size - 1);
  bytes[0] % 2 == 0 ? check_config(rest) : check_words(rest);
  return 0;
}
