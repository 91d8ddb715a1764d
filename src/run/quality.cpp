#include "run/quality.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "halfstep/text.hpp"
#include "run/bag_options.hpp"
#include "run/options_registry.hpp"

namespace halfstep::internal {
namespace {

constexpr std::int64_t kNetworksOfBest = 8, kPeriodicOfBest = 16;
constexpr std::size_t kLeastOfPart = 10;

// The settings are those that did well on 17 tables of 208 to 60,000 rows (bench/tables).
struct Level {
  const char* name;
  std::int64_t members, width;
  double work;               // multiplications of a run, about: a second of two cores does 5e10
  std::int64_t most_epochs;  // of fewer than kSomeRows rows, and half of it of others
};
constexpr Level kLevels[] = {
    {"quick", 1, 128, 4e10, 120},
    {"good", 8, 128, 2e12, 120},
    {"best", 8, 128, 2e12, 120},
};
constexpr double kPasses = 3;    // products of a step: forward, and gradients by inputs and by weights
constexpr double kMostOver = 2;  // times its work that a level takes for kLeastEpochs
constexpr std::int64_t kLeastEpochs = 12, kPatience = 16;
// Times the epochs and the patience of a level where rows are few and the target is a number: such runs take a second
// or two, and of seven such tables five got better by 3 to 23 % (RMSE), two worse by 1 %.
constexpr double kEpochsOfFew = 5.0 / 3;
constexpr std::int64_t kPatienceOfFew = 2;
// Of two classes: eight such tables have the same errors as after 16 (means of three seeds), and the one of 10,000 rows
// takes 2.6 s in place of 3.3.
constexpr std::int64_t kPatienceOfTwo = 12;
// Times the width of a level where there are more than two classes.
constexpr std::int64_t kWidthOfClasses = 2;
constexpr std::int64_t kMembersOfFew = 2;  // times those of the level
constexpr std::int64_t kMostMembers = 32;
constexpr std::int64_t kWidthOfColumn = 8, kWidestInput = 512;
constexpr double kHeldOut = 0.1, kHeldOutOfFew = 0.15;
constexpr std::size_t kFewRows = 2000, kSomeRows = 10000, kManyRows = 30000;

const Level& level_of(const std::string& name) {
  for (const Level& level : kLevels) {
    if (level.name == name) return level;
  }
  return kLevels[1];
}

class Settler {
 public:
  Settler(Options& options, const TableSize& size)
      : options_(options), size_(size), level_(level_of(options.quality)), given_(options) {}

  std::vector<std::string> run() {
    const bool few = size_.rows < kFewRows;
    if (options_.quality == "best") set("bag", std::to_string(networks()));
    const bool few_of_classes = few && size_.classify;
    if (!gave("standardize")) embed(few_of_classes ? kMembersOfFew : 1);
    const std::string width = std::to_string(level_.width * (many_classes() ? kWidthOfClasses : 1));
    set("hidden", width + "," + width);
    set("dropout", "0.1");
    set("batch", few ? "32" : size_.rows < kManyRows ? "64" : "128");
    if (options_.optimizer == OptimizerKind::adamw) {
      set("lr", few_of_classes ? "0.003" : "0.004");
      set("weight-decay", size_.rows < kManyRows ? "0.0003" : "0.1");
    } else if (options_.optimizer == OptimizerKind::muon) {
      set("lr", "0.004");
      set("weight-decay", "0.1");
    }
    if (!gave("epochs") && !gave("steps")) set("epochs", std::to_string(epochs()));
    // The mean of the last epochs is of a run whose end is known.
    if (options_.average_epochs == 0) set("early-stop", std::to_string(patience()));
    if (options_.bag == 1) set("validation", number_text(few ? kHeldOutOfFew : kHeldOut));
    if (size_.classify && options_.group.empty()) set("split", "stratified");
    options_.named = given_.named;
    return words();
  }

 private:
  bool gave(std::string_view name) const { return options::is_given(given_, name); }
  void set(std::string_view name, const std::string& value) {
    if (!gave(name)) set_option(options_, name, value);
  }

  bool many_classes() const { return size_.classify && size_.outputs > 2; }
  bool is_few_numbers() const { return !size_.classify && size_.rows < kFewRows; }

  std::int64_t patience() const {
    if (is_few_numbers()) return kPatience * kPatienceOfFew;
    return size_.classify && size_.outputs <= 2 ? kPatienceOfTwo : kPatience;
  }

  // Of best. Each holds ten rows out at least.
  std::int64_t networks() const {
    if (conflict_with_bag(given_) != nullptr || !given_.group.empty()) return 1;
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(size_.rows / kLeastOfPart), 1, kNetworksOfBest);
  }
  std::string why_one_network() const {
    const BagConflict* const conflict = conflict_with_bag(given_);
    if (conflict != nullptr) return "with --" + std::string(conflict->parameter) + ": " + conflict->why;
    return given_.group.empty() ? "of so few rows" : "with --group, unless --bag says how many";
  }

  // `times` the members of the level, of a level that has some.
  void embed(std::int64_t times) {
    const auto columns = static_cast<std::int64_t>(std::max<std::size_t>(size_.columns, 1));
    set("embedding", std::to_string(std::clamp<std::int64_t>(kWidestInput / columns, 2, kWidthOfColumn)));
    if (options_.embedding == 0) return;
    set("bins", size_.rows < kFewRows ? "24" : size_.rows < kSomeRows ? "96" : "200");
    const std::int64_t members = level_.members == 1 ? 1 : std::min(level_.members * times, kMostMembers);
    if (options_.norm != Norm::batch) set("ensemble", std::to_string(members));
  }

  // Multiplications of a row, in one epoch.
  double work_of_row() const {
    const double members = static_cast<double>(options_.ensemble);
    double width =
        static_cast<double>(size_.columns) * static_cast<double>(std::max<std::int64_t>(options_.embedding, 1));
    double work = 0;
    for (const std::int64_t hidden : options_.hidden) {
      work += width * static_cast<double>(hidden);
      width = static_cast<double>(hidden);
    }
    return kPasses * members * (work + width * static_cast<double>(size_.outputs) * members);
  }
  std::int64_t epochs() const {
    const double one = work_of_row() * static_cast<double>(std::max<std::size_t>(size_.rows, 1));
    const double times = is_few_numbers() ? kEpochsOfFew : size_.rows < kSomeRows ? 1 : 0.5;
    const auto most = static_cast<std::int64_t>(times * static_cast<double>(level_.most_epochs));
    const auto within = [&](double work) { return static_cast<std::int64_t>(std::min(work / one, 1e9)); };
    // Millions of rows are learned from in few epochs.
    const std::int64_t least = std::clamp<std::int64_t>(within(kMostOver * level_.work), 2, kLeastEpochs);
    return std::clamp(within(level_.work), least, most);
  }

  std::string length() const {
    return options_.steps > 0 ? std::to_string(options_.steps) + " steps" : std::to_string(options_.epochs) + " epochs";
  }
  std::vector<std::string> words() const {
    const std::string members =
        options_.ensemble > 1 ? std::to_string(options_.ensemble) + " networks in one, of " : "a network of ";
    const std::string columns =
        options_.embedding > 0 ? ", each column embedded in " + std::to_string(options_.embedding) : "";
    const std::string name = "quality " + std::string(level_.name) + ": ";
    const std::string held_out = options_.bag > 1 ? "part that each of " + std::to_string(options_.bag) + " holds out"
                                                  : number_text(options_.validation * 100) + " % held out";
    const std::string more = level_.name == std::string_view("best") && options_.bag == 1
                                 ? "it is one network, as good is, " + why_one_network()
                                 : "--quality quick takes less time, best more, plain changes nothing";
    return {name + members + get_option(options_, "hidden") + columns + ", for " + std::to_string(size_.rows) +
                " rows of " + std::to_string(size_.columns) + " columns",
            name + "at most " + length() + " of batch " + std::to_string(options_.batch) + ", ends after " +
                std::to_string(options_.early_stop) + " that are no better on the " + held_out + ", and keeps the best",
            name + "flags that are given count; " + more};
  }

  Options& options_;
  const TableSize& size_;
  const Level& level_;
  const Options given_;
};

}  // namespace

std::string quality_of(const Options& options) {
  if (options.quality != "auto") return options.quality;
  const bool by_hand =
      options::is_given(options, "hidden") || options::is_given(options, "embedding") || !options.init_from.empty();
  return by_hand ? "plain" : "good";
}

std::vector<Options> settings_to_try(const Options& given, const Options& settled) {
  std::vector<Options> out = {settled};
  if (settled.quality != "best" || settled.bag == 1) return out;
  using Values = std::vector<std::pair<const char*, std::string>>;
  const auto add = [&](const Values& values) {
    Options other = settled;
    for (const auto& [parameter, value] : values) {
      if (options::is_given(given, parameter)) return;
      set_option(other, parameter, value);
    }
    other.named = settled.named;
    out.push_back(std::move(other));
  };
  // In the mean of the tables these do as well, and better on some.
  add({{"hidden", "256,256"}, {"lr", number_text(settled.lr / 2)}});
  add({{"lr", number_text(settled.lr / 4)}});
  if (settled.embedding > 0) {
    const std::int64_t members = std::min(2 * settled.ensemble, kMostMembers);
    add({{"embedding", std::to_string(2 * settled.embedding)}, {"ensemble", std::to_string(members)}});
    // On some tables 1 to 2 % better than without, on others 1 to 5 % worse.
    add({{"periodic", std::to_string(kPeriodicOfBest)}});
  }
  return out;
}

std::vector<std::string> settle_quality(Options& options, const TableSize& size) {
  options.quality = quality_of(options);
  if (options.quality == "plain") return {};
  return Settler(options, size).run();
}

}  // namespace halfstep::internal
