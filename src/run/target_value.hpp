// A standardised output as a number in the target's own units.
#pragma once

namespace halfstep::internal {

// output * scale + mean, rounded in decimals where the noise of an fp32 output begins: to less than a billionth of
// `scale`, and one digit at least. What a double cannot hold is held at its largest; not finite where the output is
// not.
double target_value(float output, double mean, double scale);

}  // namespace halfstep::internal
