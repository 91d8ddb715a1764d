#include "data/npz.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>

#include "data/labels.hpp"
#include "data/text.hpp"
#include "data/zip.hpp"

namespace halfstep::internal::data {
namespace {

using Names = std::span<const std::string_view>;
constexpr std::string_view kFeatures[] = {"x",       "data",    "images",       "features",
                                          "x_train", "train_x", "train_images", "train_data"};
constexpr std::string_view kLabels[] = {"y",       "label",   "labels",  "target",
                                        "targets", "y_train", "train_y", "train_labels"};
constexpr std::string_view kTestFeatures[] = {"x_test", "test_x", "test_images", "test_data"};
constexpr std::string_view kTestLabels[] = {"y_test", "test_y", "test_labels"};
constexpr std::string_view kEnding = ".npy";

std::string array_name(const std::string& member) {
  return member.ends_with(kEnding) ? member.substr(0, member.size() - kEnding.size()) : member;
}

// Places among the members; kNone: not there.
constexpr std::size_t kNone = static_cast<std::size_t>(-1);
struct Choice {
  std::size_t features = kNone, labels = kNone;
};

class Archive {
 public:
  Archive(const Source& source, const Options& options, const Recipe* known)
      : source_(source), options_(options), known_(known), members_(zip_members(source)) {
    for (const ZipMember& member : members_) names_.push_back(array_name(member.name));
    if (members_.empty()) fail(Status::format, "no arrays", source.name, "the archive is empty", kAdvice);
    const auto has = [&](const char* name) { return std::find(names_.begin(), names_.end(), name) != names_.end(); };
    if (has("indptr") && has("indices")) {
      fail(Status::unsupported, "a sparse matrix of SciPy is not read", source.name,
           "its arrays are " + list_names(names_), "sklearn.datasets.dump_svmlight_file(X, y, 'x.svm'), which is");
    }
  }

  DataPair read(Parts parts) {
    const Choice test = {find(kTestFeatures), find(kTestLabels)};
    const bool has_test = test.features != kNone && test.labels != kNone && !names_member();
    // To predict, features are enough.
    if (parts == Parts::test && test.features != kNone && !names_member()) {
      DataPair pair{make(test), std::nullopt};
      pair.train.remarks = {"the arrays of the archive's test part are read: " + list(test)};
      return pair;
    }
    const Choice train = choose_train();
    DataPair pair{make(train), std::nullopt};
    tell_left(train, has_test ? test : Choice{}, pair.train.remarks);
    if (has_test && parts == Parts::both) pair.test = make(test);
    return pair;
  }

 private:
  static constexpr const char* kAdvice = "numpy.savez(file, X=features, y=labels)";

  std::size_t find(Names wanted) const {
    std::size_t found = kNone;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (std::find(wanted.begin(), wanted.end(), lowercase(names_[i])) == wanted.end()) continue;
      if (found != kNone) {
        fail_choice("both " + excerpt(names_[found]) + " and " + excerpt(names_[i]) + " could be meant");
      }
      found = i;
    }
    return found;
  }

  std::size_t named_member() const {
    const auto found = std::find(names_.begin(), names_.end(), array_name(options_.labels));
    return found == names_.end() ? kNone : static_cast<std::size_t>(found - names_.begin());
  }
  bool names_member() const { return !options_.labels.empty() && named_member() != kNone; }

  [[noreturn]] void fail_choice(const std::string& why) const {
    fail(Status::format, "which arrays are features and labels is not clear", source_.name,
         why + "; the arrays are " + list_names(names_),
         names_.size() == 2 ? std::string("--labels NAME for the one of the labels, or ") + kAdvice : kAdvice);
  }

  Choice choose_train() const {
    Choice choice;
    const bool other_file = !options_.labels.empty() && !names_member();
    choice.labels = other_file ? kNone : names_member() ? named_member() : find(kLabels);
    if (names_.size() == 1 && choice.labels == 0 && !names_member()) choice.labels = kNone;
    choice.features = find(kFeatures);
    // The other one of two, or the only one.
    if (choice.features == kNone && names_.size() == 1) choice.features = 0;
    if (choice.features == kNone && names_.size() == 2 && choice.labels != kNone) choice.features = 1 - choice.labels;
    if (choice.features == kNone) fail_choice("none is named as features usually are");
    if (choice.features == choice.labels) fail_choice(excerpt(names_[choice.labels]) + " cannot be both");
    const bool no_labels = choice.labels == kNone && !other_file && names_.size() > 1;
    if (no_labels && known_ == nullptr) fail_choice("none is named as labels usually are");
    return choice;
  }

  RawData make(const Choice& choice) const {
    const Source features = zip_member(source_, members_[choice.features]);
    if (choice.labels != kNone) {
      const Source labels = zip_member(source_, members_[choice.labels]);
      return read_array(features, &labels, options_, known_);
    }
    if (options_.labels.empty()) return read_array(features, nullptr, options_, known_);
    std::error_code code;
    if (!std::filesystem::exists(options_.labels, code)) {
      fail(Status::format, "no such labels", source_.name,
           excerpt(options_.labels) + " is neither an array of the archive nor a file; the arrays are " +
               list_names(names_),
           "--labels with one of them");
    }
    const Source labels = read_source(options_.labels);
    return read_array(features, &labels, options_, known_);
  }

  std::string list(const Choice& choice) const {
    return excerpt(names_[choice.features]) + (choice.labels == kNone ? "" : ", " + excerpt(names_[choice.labels]));
  }

  void tell_left(const Choice& a, const Choice& b, std::vector<std::string>& remarks) const {
    std::vector<std::string> left;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (i != a.features && i != a.labels && i != b.features && i != b.labels) left.push_back(names_[i]);
    }
    if (!left.empty()) remarks.push_back("arrays left aside: " + list_names(left) + "; read: " + list(a));
  }

  const Source& source_;
  const Options& options_;
  const Recipe* known_;
  std::vector<ZipMember> members_;
  std::vector<std::string> names_;
};

}  // namespace

bool is_npz(std::string_view bytes) {
  constexpr std::size_t kHead = 30;
  if (!is_zip(bytes) || bytes.size() < kHead) return false;
  const std::size_t length =
      static_cast<unsigned char>(bytes[26]) + std::size_t{256} * static_cast<unsigned char>(bytes[27]);
  return bytes.substr(kHead, length).ends_with(kEnding);
}

DataPair parse_npz(const Source& archive, const Options& options, const Recipe* known, Parts parts) {
  return Archive(archive, options, known).read(parts);
}

}  // namespace halfstep::internal::data
