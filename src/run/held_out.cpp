#include "run/held_out.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "halfstep/text.hpp"
#include "report/markup.hpp"
#include "run/class_probabilities.hpp"
#include "run/target_value.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kWorst = 12;
constexpr std::size_t kMostDots = 800;  // of the cloud
constexpr std::size_t kResidualBars = 31;

// What is kept of a row until all are seen.
struct Row {
  double loss = 0;
  std::size_t guess = 0;  // place of the class
  float probability = 0;  // of the true class
};

class Rows {
 public:
  explicit Rows(const RowsToLookAt& of)
      : kernels_(of.kernels),
        meaning_(of.meaning),
        preprocessor_(of.preprocessor),
        examples_(of.examples),
        numbers_(of.numbers),
        kind_(of.spec.loss),
        loss_(loss_of(of.spec)),
        columns_(of.spec.widths.back()),
        d_(pad_columns(columns_)),
        probabilities_(pad_columns(std::max<std::size_t>(columns_, 2))) {
    rows_.reserve(examples_.rows);
  }

  report::HeldOut look(const EachRow& each_row) {
    each_row([&](const float* logits) { add(rows_.size(), logits); });
    finish_bins();
    for (std::size_t t = 0; t < shown_targets(); ++t) out_.values.push_back(values_of(t));
    add_worst();
    return std::move(out_);
  }

 private:
  void add(std::size_t index, const float* logits) {
    const Targets targets = {examples_.labels.empty() ? nullptr : examples_.labels.data(),
                             examples_.targets.empty() ? nullptr : examples_.targets.data()};
    Row row;
    row.loss = loss_->row(kernels_, logits, columns_, index, targets, 1.0f, d_.data());
    if (meaning_.classification) {
      add_class(static_cast<std::size_t>(examples_.labels[index]), logits, row);
    } else {
      outputs_.insert(outputs_.end(), logits, logits + shown_targets());
    }
    rows_.push_back(row);
  }

  void add_class(std::size_t label, const float* logits, Row& row) {
    const std::size_t guess = predicted_class(logits, columns_, meaning_.single_logit);
    row.guess = guess;
    if (!is_finite_output(logits, columns_)) {
      row.probability = std::numeric_limits<float>::quiet_NaN();
      return;
    }
    class_probabilities(kernels_, kind_, columns_, logits, probabilities_.data());
    if (meaning_.single_logit) {
      probabilities_[1] = probabilities_[0];
      probabilities_[0] = 1 - probabilities_[1];
    }
    row.probability = probabilities_[label];
    const double confidence = static_cast<double>(probabilities_[guess]);
    const auto place = static_cast<std::size_t>(std::max(confidence, 0.0) * static_cast<double>(out_.bins.size()));
    report::CalibrationBin& bin = out_.bins[std::min(place, out_.bins.size() - 1)];
    ++bin.rows;
    bin.confidence += confidence;
    bin.accuracy += guess == label ? 1 : 0;
  }

  void finish_bins() {
    for (report::CalibrationBin& bin : out_.bins) {
      if (bin.rows == 0) continue;
      bin.confidence /= static_cast<double>(bin.rows);
      bin.accuracy /= static_cast<double>(bin.rows);
    }
  }

  std::size_t shown_targets() const {
    return meaning_.classification ? 0 : std::min(meaning_.targets.size(), report::kShownTargets);
  }

  double truth(std::size_t row, std::size_t target) const {
    const TargetUnits& units = meaning_.targets[target];
    return examples_.exact_targets[row * meaning_.targets.size() + target] * units.scale + units.mean;
  }
  double predicted(std::size_t row, std::size_t target) const {
    const TargetUnits& units = meaning_.targets[target];
    return target_value(outputs_[row * shown_targets() + target], units.mean, units.scale);
  }

  report::TargetValues values_of(std::size_t target) const {
    report::TargetValues out;
    if (meaning_.targets.size() > 1) out.name = report::short_name(preprocessor_.targets()[target].name);
    std::vector<double> differences;
    const std::size_t stride = (rows_.size() + kMostDots - 1) / kMostDots;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const double value = predicted(i, target);
      if (i % stride == 0) out.values.emplace_back(truth(i, target), value);
      const double difference = value - truth(i, target);
      if (std::isfinite(difference)) differences.push_back(difference);
    }
    if (differences.empty()) return out;
    std::sort(differences.begin(), differences.end());
    // A few far ones must not make one bar of all others.
    const std::size_t beyond = differences.size() / 200;
    out.residual_low = differences[beyond];
    out.residual_high = differences[differences.size() - 1 - beyond];
    const double width = (out.residual_high - out.residual_low) / kResidualBars;
    if (!(width > 0) || !std::isfinite(width)) return out;
    out.residuals.assign(kResidualBars, 0);
    for (const double difference : differences) {
      const double place = std::clamp((difference - out.residual_low) / width, 0.0, kResidualBars - 0.5);
      ++out.residuals[static_cast<std::size_t>(place)];
    }
    return out;
  }

  // Of several targets the first, in their order.
  void add_values(std::size_t row, report::WorstRow& worst) const {
    for (std::size_t t = 0; t < shown_targets(); ++t) {
      worst.truth += (t > 0 ? ", " : "") + short_number(truth(row, t), 6);
      worst.prediction += (t > 0 ? ", " : "") + short_number(predicted(row, t), 6);
    }
    if (shown_targets() == meaning_.targets.size()) return;
    worst.truth += ", ...";
    worst.prediction += ", ...";
  }

  std::string class_name(std::size_t place) const {
    const auto& classes = preprocessor_.classes();
    return place < classes.size() ? report::short_name(classes[place]) : std::to_string(place);
  }

  void add_worst() {
    std::vector<std::size_t> order(rows_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // What is no number is worse than any.
    const auto badness = [&](std::size_t i) {
      return std::isnan(rows_[i].loss) ? std::numeric_limits<double>::infinity() : rows_[i].loss;
    };
    const std::size_t shown = std::min(kWorst, order.size());
    std::partial_sort(
        order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
        [&](std::size_t a, std::size_t b) { return badness(a) != badness(b) ? badness(a) > badness(b) : a < b; });
    for (std::size_t i = 0; i < shown; ++i) {
      const Row& row = rows_[order[i]];
      report::WorstRow worst = {.row = numbers_.text(order[i]), .loss = row.loss, .truth = {}, .prediction = {}};
      if (meaning_.classification) {
        worst.truth = class_name(static_cast<std::size_t>(examples_.labels[order[i]]));
        worst.prediction = std::isnan(row.probability) ? "none" : class_name(row.guess);
        worst.probability = static_cast<double>(row.probability);
      } else {
        add_values(order[i], worst);
      }
      out_.worst.push_back(std::move(worst));
    }
  }

  const KernelTable& kernels_;
  const OutputMeaning& meaning_;
  const data::Preprocessor& preprocessor_;
  const data::Examples& examples_;
  const RowNumbers& numbers_;
  LossKind kind_;
  std::unique_ptr<Loss> loss_;
  std::size_t columns_;
  AlignedBuffer<float> d_, probabilities_;
  std::vector<Row> rows_;
  std::vector<float> outputs_;  // of the targets that are shown, row by row
  report::HeldOut out_;
};

}  // namespace

report::HeldOut look_at_rows(const RowsToLookAt& rows, const EachRow& each_row) { return Rows(rows).look(each_row); }

}  // namespace halfstep::internal
