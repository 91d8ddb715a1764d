// Rows that members see through scales of their own, and the way back, against plain loops.
#include <doctest/doctest.h>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"

namespace halfstep::test::scaled_rows {

using namespace internal;

constexpr std::size_t kColumns[] = {16, 48, 144};

void check_store(Mismatches& wrong, const KernelTable& kernels, Dtype dtype, std::size_t columns, bool with_panels) {
  AlignedBuffer<float> x = random_floats(2 * columns, 80), scaled(2 * columns);
  const AlignedBuffer<float> scale = random_floats(2 * columns, 81);
  x[1] = kNan;
  for (std::size_t i = 0; i < x.size(); ++i) scaled[i] = x[i] * scale[i];
  AlignedBuffer<std::byte> rows[2], panels[2];
  StorageTarget y[2];
  for (std::size_t i = 0; i < 2; ++i) {
    rows[i] = AlignedBuffer<std::byte>(4 * x.size());
    panels[i] = AlignedBuffer<std::byte>(4 * x.size());
    y[i] = {rows[i].data(), columns, with_panels ? panels[i].data() : nullptr, 2 * kLanes, dtype};
  }
  isas().front().table->store_rows[index_of(dtype)](columns, scaled.data(), scaled.data() + columns, y[0]);
  kernels.store_scaled[index_of(dtype)](columns, x.data(), scale.data(), x.data() + columns, scale.data() + columns,
                                        y[1]);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool same = raw(dtype, rows[0].data(), i) == raw(dtype, rows[1].data(), i) &&
                      raw(dtype, panels[0].data(), i) == raw(dtype, panels[1].data(), i);
    if (!same) wrong.add(kernels.name, " ", name(dtype), " ", columns, " columns, at ", i);
  }
}

TEST_CASE("kernels: rows times scales are rounded to rows and panels") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : {Dtype::fp32, Dtype::bf16, Dtype::fp16}) {
      for (std::size_t columns : kColumns) {
        check_store(wrong, kernels, dtype, columns, true);
        check_store(wrong, kernels, dtype, columns, false);
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: the gradients by a row and by its members' scales, in their order") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (std::size_t columns : kColumns) {
      for (std::size_t members : {1, 2, 7}) {
        const std::size_t ld = columns + 32;
        const AlignedBuffer<float> scale = random_floats(members * columns, 82), d = random_floats(members * ld, 83);
        AlignedBuffer<float> x = random_floats(columns + 16, 84), sums = random_floats(members * columns + 16, 85);
        AlignedBuffer<float> want_x = random_floats(columns + 16, 84),
                             want_sums = random_floats(members * columns + 16, 85);
        for (std::size_t i = 0; i < columns; ++i) {
          float sum = 0;
          for (std::size_t m = 0; m < members; ++m) {
            const float by_scale = want_x[i] * d[m * ld + i], by_x = scale[m * columns + i] * d[m * ld + i];
            want_sums[m * columns + i] += by_scale;
            sum += by_x;
          }
          want_x[i] = sum;
        }
        kernels.scaled_backward(columns, members, scale.data(), d.data(), ld, x.data(), sums.data());
        for (std::size_t i = 0; i < x.size(); ++i) {
          if (!same_bits(x[i], want_x[i])) wrong.add(kernels.name, " x at ", i, ": ", x[i], " not ", want_x[i]);
        }
        for (std::size_t i = 0; i < sums.size(); ++i) {
          if (!same_bits(sums[i], want_sums[i]))
            wrong.add(kernels.name, " sums at ", i, ": ", sums[i], " not ", want_sums[i]);
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

}  // namespace halfstep::test::scaled_rows
