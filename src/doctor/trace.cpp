#include "doctor/trace.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "doctor/stored_values.hpp"

namespace halfstep::internal {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

class Tracer {
 public:
  Tracer(Rerun& rerun, const StepReport& report)
      : rerun_(rerun), network_(rerun.network()), part_(rerun.held()), report_(report) {}

  Incident run() {
    const Capsule& c = rerun_.capsule();
    out_.step = c.clock.attempted + 1;
    out_.applied = c.clock.applied;
    out_.epoch = c.batch > 0 ? c.clock.epoch + 1 : 0;
    out_.batch = c.batch;
    out_.cause = report_.incident.cause;
    out_.tensor = report_.incident.tensor;
    out_.loss_scale = static_cast<double>(report_.loss_scale);
    out_.recent = c.recent;
    locate();
    out_.limit = largest_of(out_.storage);
    return std::move(out_);
  }

 private:
  void locate() {
    switch (report_.incident.cause) {
      case StepCause::data:
        return locate_input();
      case StepCause::weights:
        return locate_weight();
      case StepCause::forward:
        return locate_output();
      case StepCause::loss:
        return locate_loss();
      case StepCause::scale:
        return locate_gradient();
      case StepCause::gradient:
        return locate_weight_gradient();
      case StepCause::unscale:
        out_.operation = "unscale";
        return;
      case StepCause::none:
        return;
    }
  }

  // A row of the part that the network holds, as its layers have it: one for each member.
  void at_layer(std::size_t row, std::size_t column, std::int64_t count) {
    at(row / network_.shape().members, column, count);
  }
  void at(std::size_t row, std::size_t column, std::int64_t count) {
    out_.row = out_.batch_row = static_cast<std::int64_t>(part_.first + row);
    out_.column = static_cast<std::int64_t>(column);
    out_.count = count;
  }

  void locate_input() {
    const StoredSignal& s = network_.signals().front();
    const std::size_t inputs = rerun_.capsule().inputs();
    const auto bad = first_bad(part_.rows, inputs, [&](std::size_t r, std::size_t c) { return value_at(s, r, c); });
    out_.storage = s.dtype;
    out_.operation = "rounding";
    if (!bad) return;
    at(bad->row, bad->column, bad->count);
    out_.value = static_cast<double>(rerun_.capsule().x[(part_.first + bad->row) * inputs + bad->column]);
  }

  void locate_weight() {
    for (const Parameter* p : network_.parameters()) {
      if (p->name == out_.tensor) locate_in_weight(*p, out_);
    }
  }

  // The products of a block are dot products of rows that are finite: here in double, where they cannot overflow.
  double product(std::size_t block, int index, std::size_t row, std::size_t column) const {
    const Parameter *weight = nullptr, *bias = nullptr;
    for (const Parameter* p : network_.parameters()) {
      if (p->block != block || (weight == nullptr && !p->is_matrix())) continue;
      if (p->is_matrix()) {
        if (weight != nullptr) break;
        if (index-- == 0) weight = p;
      } else if (bias == nullptr) {
        bias = p;
      }
    }
    if (weight == nullptr) return kNaN;
    const StoredSignal& x = input_of(network_, block);
    double sum = bias != nullptr ? static_cast<double>(bias->master[column]) : 0;
    for (std::size_t k = 0; k < weight->shape[1]; ++k) {
      sum += static_cast<double>(value_at(x, row, k)) * static_cast<double>(working_value(*weight, column, k));
    }
    return sum;
  }

  void locate_output() {
    for (const StoredSignal& s : network_.signals()) {
      if (s.kind != StoredSignal::Kind::output && s.kind != StoredSignal::Kind::embedded) continue;
      const auto bad = first_bad(network_.rows_of(s, part_.rows), network_.columns_of(s),
                                 [&](std::size_t r, std::size_t c) { return value_at(s, r, c); });
      if (!bad) continue;
      at_layer(bad->row, bad->column, bad->count);
      out_.tensor = s.name;
      out_.storage = s.dtype;
      explain_output(s, bad->row, bad->column);
      return;
    }
  }

  bool product_is_stored(std::size_t block) const {
    return std::any_of(network_.signals().begin(), network_.signals().end(),
                       [&](const StoredSignal& s) { return s.block == block && s.product >= 0; });
  }

  // What was stored of the product is finite, or it would have been found first: what follows it is to blame.
  void explain_output(const StoredSignal& s, std::size_t row, std::size_t column) {
    if (s.kind == StoredSignal::Kind::embedded) {
      out_.operation = "embedding";
      out_.value = static_cast<double>(value_at(s, row, column));
      return;
    }
    const bool follows = s.product < 0 && product_is_stored(s.block);
    if (!follows) {
      out_.value = product(s.block, std::max(s.product, 0), row, column);
      out_.operation = "product";
      const NetworkShape& shape = network_.shape();
      const bool skips = s.product < 0 && s.block + 1 < shape.layers() && shape.residual &&
                         shape.columns_of_layer(s.block) == shape.widths[s.block + 1];
      if (skips && std::fabs(out_.value) < rounds_to_infinity(s.dtype)) {
        out_.operation = "skip";
        out_.value += static_cast<double>(value_at(input_of(network_, s.block), row, column));
      }
      return;
    }
    out_.value = before_rounding(s.name, row, column);
    const NetworkShape& shape = network_.shape();
    out_.operation = shape.residual && shape.columns_of_layer(s.block) == shape.widths[s.block + 1] ? "skip"
                     : shape.layer != "dense"                                                       ? "gate"
                     : shape.norm != Norm::none                                                     ? "norm"
                                                                                                    : "activation";
  }

  // Of an output, or of a gradient by a pre-activation that no loss makes.
  double before_rounding(const std::string& tensor, std::size_t row, std::size_t column) {
    const std::size_t rows = pad_rows(network_.layer_rows(network_.shape().max_rows));
    const std::size_t width = pad_columns(network_.widest());
    AlignedBuffer<float> scratch(network_.replay_targets() * rows * width);
    AlignedBuffer<float> sums(network_.replay_targets() * sum_chunks(rows) * width);
    double value = kNaN;
    network_.replay(rerun_.context(), part_.rows, scratch.data(), sums.data(), [&](const Network::Replayed& r) {
      if (r.name == tensor) value = static_cast<double>(r.values[row * pad_columns(r.columns) + column]);
    });
    return value;
  }

  LogitsView logits() {
    return {network_.logits(), network_.logits_ld(), network_.shape().widths.back(), part_.rows,
            network_.shape().members};
  }

  void locate_loss() {
    out_.operation = "loss";
    const LogitsView view = logits();
    std::vector<float> of_member(pad_columns(view.columns)), d(pad_columns(view.columns));
    for (std::size_t r = 0; r < part_.rows * view.members; ++r) {
      const std::size_t example = r / view.members;
      std::copy_n(view.data + r * view.ld + r % view.members * view.columns, view.columns, of_member.data());
      const double loss = rerun_.loss().row(rerun_.context().kernels, of_member.data(), view.columns, example,
                                            part_.targets, 1, d.data());
      if (std::isfinite(loss)) continue;
      if (out_.count++ > 0) continue;
      out_.row = out_.batch_row = static_cast<std::int64_t>(part_.first + example);
      out_.value = loss;
    }
  }

  void locate_gradient() {
    const StoredSignal* signal = nullptr;
    std::optional<Place> bad;
    // The last block's comes first: the list ends with it.
    for (std::size_t i = network_.signals().size(); i-- > 0 && !bad;) {
      signal = &network_.signals()[i];
      if (signal->kind != StoredSignal::Kind::gradient) break;
      bad = first_bad(network_.rows_of(*signal, part_.rows), network_.columns_of(*signal),
                      [&](std::size_t r, std::size_t c) { return value_at(*signal, r, c); });
    }
    if (!bad) return;
    at_layer(bad->row, bad->column, bad->count);
    out_.tensor = signal->name;
    out_.storage = signal->dtype;
    const bool of_loss = signal->block + 1 == network_.shape().layers();
    out_.operation = of_loss ? "loss" : "product";
    out_.value = of_loss ? loss_gradient(bad->row, bad->column) : before_rounding(signal->name, bad->row, bad->column);
    if (!std::isfinite(out_.value) && !of_loss) out_.value = gradient_product(signal->block, bad->row, bad->column);
    fit();
  }

  // Of the gradient by the block's output, in double: what the block above made by products of finite numbers.
  double gradient_product(std::size_t block, std::size_t row, std::size_t column) const {
    double sum = 0;
    for (const Parameter* p : network_.parameters()) {
      if (p->block != block + 1 || !p->is_matrix()) continue;
      const StoredSignal* const d = gradient_of(*p);
      for (std::size_t o = 0; d != nullptr && o < p->shape[0]; ++o) {
        sum += static_cast<double>(value_at(*d, row, o)) * static_cast<double>(working_value(*p, o, column));
      }
    }
    return sum;
  }

  double loss_gradient(std::size_t row, std::size_t column) {
    const LogitsView view = logits();
    const std::size_t width = network_.logits_ld(), rows = network_.layer_rows(part_.rows);
    AlignedBuffer<float> d(pad_rows(rows) * width), sums(sum_chunks(rows) * width);
    const LossGradient target = {{d.data(), width, nullptr, 0, Dtype::fp32}, sums.data(), width};
    double sum = 0;
    add_losses(rerun_.loss(), rerun_.context().kernels, rerun_.context().executor, view, part_.targets,
               report_.loss_scale, &target, rerun_.weight(), sum);
    return static_cast<double>(d[row * width + column]);
  }

  // Products have the scale as a factor, and it is a power of two.
  void fit() {
    if (!std::isfinite(out_.value)) return;
    double scale = out_.loss_scale, value = std::fabs(out_.value);
    for (; value >= rounds_to_infinity(out_.storage); value /= 2) scale /= 2;
    out_.fitting_scale = scale;
  }

  void locate_weight_gradient() {
    for (std::size_t block = network_.blocks(); block-- > 0;) {
      for (const Parameter* p : network_.parameters()) {
        if (p->block == block && p->is_trained() && locate_in_gradient(*p)) return;
      }
    }
  }

  bool locate_in_gradient(const Parameter& p) {
    const std::size_t columns = p.is_matrix() ? p.shape[1] : 1;
    const auto bad = first_bad(p.shape[0], columns, [&](std::size_t r, std::size_t c) {
      return p.gradient[p.is_matrix() ? p.strips.offset(r, c) : r];
    });
    if (!bad) return false;
    out_.tensor = "gradient of " + p.name;
    out_.storage = Dtype::fp32;
    out_.operation = "product";
    out_.row = static_cast<std::int64_t>(bad->row);
    out_.column = static_cast<std::int64_t>(bad->column);
    out_.count = bad->count;
    sum_over_rows(p, *bad);
    return true;
  }

  const StoredSignal* gradient_of(const Parameter& p) const {
    const bool gate = p.name.find(".gate.") != std::string::npos;
    for (const StoredSignal& s : network_.signals()) {
      if (s.kind != StoredSignal::Kind::gradient || s.block != p.block) continue;
      if (gate == (s.name.find(".gate.") != std::string::npos)) return &s;
    }
    return nullptr;
  }

  // The same sum in double; the row that adds most to it stands for it.
  void sum_over_rows(const Parameter& p, const Place& bad) {
    const StoredSignal* const d = gradient_of(p);
    if (d == nullptr || p.name.starts_with("embedding.")) return;
    const StoredSignal& x = input_of(network_, p.block);
    double sum = 0, most = -1;
    for (std::size_t r = 0; r < network_.layer_rows(part_.rows); ++r) {
      const double of_d = static_cast<double>(value_at(*d, r, bad.row));
      const double term = p.is_matrix() ? of_d * static_cast<double>(value_at(x, r, bad.column)) : of_d;
      sum += term;
      if (!(std::fabs(term) > most)) continue;
      most = std::fabs(term);
      out_.batch_row = static_cast<std::int64_t>(part_.first + r / network_.shape().members);
    }
    out_.value = sum;
    fit();
  }

  Rerun& rerun_;
  Network& network_;
  Rerun::Part part_;
  const StepReport& report_;
  Incident out_;
};

}  // namespace

void locate_in_weight(const Parameter& p, Incident& incident) {
  const std::size_t columns = p.is_matrix() ? p.shape[1] : 1;
  const auto bad = first_bad(p.shape[0], columns, [&](std::size_t r, std::size_t c) { return working_value(p, r, c); });
  incident.tensor = p.name;
  incident.storage = p.is_matrix() ? p.storage : Dtype::fp32;
  incident.limit = largest_of(incident.storage);
  incident.operation = "update";
  if (!bad) return;
  incident.row = static_cast<std::int64_t>(bad->row);
  incident.column = static_cast<std::int64_t>(bad->column);
  incident.count = bad->count;
  const std::size_t index = p.is_matrix() ? p.strips.offset(bad->row, bad->column) : bad->row;
  incident.value = static_cast<double>(p.master.size() > 0 ? p.master[index] : working_value(p, bad->row, bad->column));
}

Incident trace(Rerun& rerun, const StepReport& report) { return Tracer(rerun, report).run(); }

}  // namespace halfstep::internal
