// hs_predictor_... of halfstep.h.
#include "halfstep/predictor.hpp"

#include <functional>
#include <memory>
#include <utility>

#include "api/c/arguments.hpp"
#include "api/c/handles.hpp"

using namespace halfstep;
using namespace halfstep::internal::c_abi;

namespace {

bool overlap(std::span<const float> a, std::span<const float> b) {
  const std::less<> before;
  return before(a.data(), b.data() + b.size()) && before(b.data(), a.data() + a.size());
}

}  // namespace

hs_status hs_predictor_create(const hs_model* model, uint64_t max_rows, int32_t threads, hs_predictor** out) {
  return call_free([&] {
    hs_predictor*& made = place(out, "out");
    require_live(model);
    Predictor predictor(model->model, {.max_rows = static_cast<std::size_t>(max_rows), .threads = threads});
    made = std::make_unique<hs_predictor>(std::move(predictor)).release();
  });
}

hs_status hs_predictor_destroy(hs_predictor* predictor) { return destroy(predictor); }

const char* hs_predictor_message(const hs_predictor* predictor) { return message_of(predictor); }

hs_status hs_predictor_predict(hs_predictor* predictor, const hs_matrix* x, float* buffer, uint64_t capacity,
                               uint64_t* needed) {
  return call(predictor, [&](hs_predictor& p) {
    const Rows rows = rows_for(p.predictor.inputs(), x);
    const std::size_t count = count_outputs(rows, p.predictor.outputs());
    if (!wants(count, buffer, capacity, needed)) return;
    if (overlap(rows.x(), {buffer, count})) refuse("the buffer does not fit", "it overlaps the matrix");
    p.predictor.predict(rows.x(), {buffer, count});
  });
}
