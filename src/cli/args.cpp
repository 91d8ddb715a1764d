#include "cli/args.hpp"

#include <algorithm>

#include "halfstep/error.hpp"
#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

using Word = std::string_view;

constexpr Word kSwitches[] = {"json", "quiet", "v", "help"};

[[noreturn]] void refuse(std::string what, std::string where, std::string why, std::string hint) {
  throw Error(
      Status::invalid_argument,
      {.what = std::move(what), .where = std::move(where), .why = std::move(why), .kept = {}, .hint = std::move(hint)});
}

std::string canonical(Word name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

const Flag* find_flag(const Command& command, Word name) {
  for (const Flag& flag : command.flags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

const ParameterInfo* find_parameter(Word name) {
  for (const ParameterInfo& info : parameters()) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

// One use of the parser below: words in, Args out.
class Parser {
 public:
  Parser(const Command& command, std::span<const Word> words) : command_(command), words_(words) {
    for (const Flag& flag : command.flags) args_.flags.emplace_back(flag.name, flag.default_value);
  }

  Args parse() {
    while (at_ < words_.size()) {
      const Word word = words_[at_++];
      if (word == "--") {
        for (; at_ < words_.size(); ++at_) args_.positional.emplace_back(words_[at_]);
      } else if (word == "-h" || word == "-v") {
        flip(word == "-h" ? "help" : "v", word);
      } else if (word.starts_with("--")) {
        flag(word);
      } else if (word.size() > 1 && word.starts_with('-')) {
        refuse("unknown flag", std::string(word), {}, help_hint());
      } else {
        args_.positional.emplace_back(word);
      }
    }
    if (!args_.help) finish();
    return args_;
  }

 private:
  std::string help_hint() const { return "halfstep " + std::string(command_.name) + " --help"; }

  bool config_accepted() const { return command_.accepts.empty(); }

  // "--name=value", "--name value", or a switch.
  void flag(Word word) {
    const std::size_t equals = word.find('=');
    const std::string name = canonical(word.substr(2, equals == Word::npos ? equals : equals - 2));
    const Word shown = word.substr(0, equals);
    const bool attached = equals != Word::npos;
    if (name == "verbose") return flip("v", shown, attached);
    if (std::find(std::begin(kSwitches), std::end(kSwitches), name) != std::end(kSwitches)) {
      return flip(name, shown, attached);
    }
    if (const Flag* const own = find_flag(command_, name)) {
      const bool bare = own->type == "flag" && !attached;
      return store(name, shown, attached ? word.substr(equals + 1) : bare ? Word("true") : next_value(shown));
    }
    const ParameterInfo* info = find_parameter(name);
    const bool is_config = name == "config" && config_accepted();
    if (info == nullptr && !is_config) unknown(name, shown);
    if (info != nullptr && !accepts(command_, name)) ignored(shown);
    const bool bare = info != nullptr && info->type == "flag" && !attached;
    store(name, shown, attached ? word.substr(equals + 1) : bare ? Word("true") : next_value(shown));
  }

  Word next_value(Word shown) {
    const bool missing = at_ == words_.size() || (words_[at_].starts_with("--") && words_[at_].size() > 2);
    if (missing) refuse("a value is missing", std::string(shown), {}, std::string(shown) + "=VALUE");
    return words_[at_++];
  }

  void store(const std::string& name, Word shown, Word value) {
    if (std::find(seen_.begin(), seen_.end(), name) != seen_.end()) {
      refuse("flag given twice", std::string(shown), "only one of its values could count", {});
    }
    seen_.push_back(name);
    if (name == "config") {
      args_.config = value;
    } else if (const Flag* own = find_flag(command_, name)) {
      args_.flags[static_cast<std::size_t>(own - command_.flags.data())].second = value;
    } else {
      settings_.emplace_back(name, value);
    }
  }

  void flip(Word name, Word shown, bool attached = false) {
    if (attached) refuse("the flag takes no value", std::string(shown), {}, {});
    if (name != "help" && !accepts(command_, name)) ignored(shown);
    if (name == "json") args_.json = true;
    if (name == "quiet") args_.quiet = true;
    if (name == "v") args_.verbose = true;
    if (name == "help") args_.help = true;
  }

  [[noreturn]] void ignored(Word shown) const {
    refuse("flag does not apply", std::string(shown), "halfstep " + std::string(command_.name) + " would ignore it",
           help_hint());
  }

  [[noreturn]] void unknown(const std::string& name, Word shown) const {
    std::vector<Word> names;
    for (const ParameterInfo& info : parameters()) {
      if (accepts(command_, info.name)) names.push_back(info.name);
    }
    for (const Flag& own : command_.flags) names.push_back(own.name);
    for (const Word word : kSwitches) {
      if (word == "help" || accepts(command_, word)) names.push_back(word);
    }
    if (config_accepted()) names.push_back("config");
    const Word near = nearest_name(name, names);
    refuse("unknown flag", std::string(shown), {},
           near.empty() ? help_hint() : "did you mean --" + std::string(near) + "?");
  }

  // Flags win over the config file wherever they stand.
  void finish() {
    args_.options.owns_process = true;
    if (!args_.config.empty()) read_config(args_.options, args_.config);
    for (const auto& [name, value] : settings_) set_option(args_.options, name, value);
    const std::size_t count = args_.positional.size();
    const std::string usage = "usage: halfstep " + std::string(command_.name) + " " + std::string(command_.usage);
    if (count < command_.least) refuse("an argument is missing", std::string(command_.name), usage, help_hint());
    if (count > command_.most) refuse("too many arguments", args_.positional[command_.most], usage, help_hint());
  }

  const Command& command_;
  std::span<const Word> words_;
  std::size_t at_ = 0;
  Args args_;
  std::vector<std::string> seen_;
  std::vector<std::pair<std::string, std::string>> settings_;
};

// $'...' of bash, ksh and zsh, for what a terminal must not show as it is.
std::string ansi_c_quoted(const std::string& text) {
  constexpr Word kDigits = "01234567";
  std::string quoted = "$'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      quoted += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
    } else {
      quoted += {'\\', kDigits[byte >> 6], kDigits[byte >> 3 & 7], kDigits[byte & 7]};
    }
  }
  return quoted + "'";
}

}  // namespace

bool accepts(const Command& command, std::string_view name) {
  const auto has = [name](std::span<const std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return command.accepts.empty() ? !has(command.without) : has(command.accepts);
}

const std::string& flag_value(const Args& args, std::string_view name) {
  const auto found =
      std::find_if(args.flags.begin(), args.flags.end(), [&](const auto& flag) { return flag.first == name; });
  return found->second;
}

Args parse_args(const Command& command, std::span<const std::string_view> words) {
  return Parser(command, words).parse();
}

std::string shell_quoted(const std::string& text) {
  constexpr Word kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  if (printable(text) != text) return ansi_c_quoted(text);
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string repeat_command(const Args& args, std::string_view command) {
  std::string text = "halfstep " + std::string(command);
  for (const auto& [name, value] : args.flags) text += " --" + std::string(name) + " " + shell_quoted(value);
  for (const ParameterInfo& info : parameters()) {
    const std::string value = get_option(args.options, info.name);
    // What was given counts at its default too: the quality of a run leaves it alone.
    const std::vector<std::string>& named = args.options.named;
    const bool given = !value.empty() && std::find(named.begin(), named.end(), info.name) != named.end();
    if (value == info.default_value && !given) continue;
    text += " --" + std::string(info.name);
    if (info.type == "flag" && value == "true") continue;
    // The attached form is safe for a value that is empty or looks like a flag.
    const bool attach = value.empty() || value.starts_with('-');
    text += (attach ? "=" : " ") + shell_quoted(value);
  }
  for (const std::string& word : args.positional) {
    text += (word.size() > 1 && word.starts_with('-') ? " -- " : " ") + shell_quoted(word);
  }
  return text;
}

}  // namespace halfstep::cli
