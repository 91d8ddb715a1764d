#include "data/digits.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace halfstep::internal::data {
namespace {

struct Point {
  double x;
  double y;
};

// Strokes in a box of side 1, y downwards.
constexpr Point kZero[] = {{.5, 0}, {.85, .15}, {1, .5}, {.85, .85}, {.5, 1}, {.15, .85}, {0, .5}, {.15, .15}, {.5, 0}};
constexpr Point kOne[] = {{.2, .2}, {.55, 0}, {.55, 1}};
constexpr Point kTwo[] = {{.05, .2}, {.3, 0}, {.75, 0}, {.95, .25}, {.75, .5}, {0, 1}, {1, 1}};
constexpr Point kThree[] = {{.05, .1}, {.5, 0}, {.9, .2}, {.5, .45}, {.95, .75}, {.5, 1}, {.05, .9}};
constexpr Point kFour[] = {{.7, 1}, {.7, 0}, {0, .65}, {1, .65}};
constexpr Point kFive[] = {{.9, 0}, {.15, 0}, {.1, .45}, {.6, .4}, {.95, .7}, {.6, 1}, {.05, .9}};
constexpr Point kSix[] = {{.8, 0}, {.3, .3}, {.05, .7}, {.4, 1}, {.9, .8}, {.7, .5}, {.1, .6}};
constexpr Point kSeven[] = {{0, 0}, {1, 0}, {.4, 1}};
constexpr Point kEight[] = {{.5, .45},  {.1, .2}, {.5, 0},    {.9, .2}, {.5, .45},
                            {.05, .75}, {.5, 1},  {.95, .75}, {.5, .45}};
constexpr Point kNine[] = {{.9, .4}, {.3, .5}, {.1, .2}, {.6, 0}, {.95, .3}, {.7, .7}, {.2, 1}};
constexpr std::array<std::span<const Point>, 10> kDigits = {kZero, kOne, kTwo,   kThree, kFour,
                                                            kFive, kSix, kSeven, kEight, kNine};
constexpr std::size_t kMaxPoints = 9;
constexpr std::size_t kDraws = 512;  // random numbers kept for each picture

// Random numbers of one picture, taken one after another.
class Draws {
 public:
  Draws(const Rng& rng, std::size_t row) : rng_(rng), next_(row * kDraws) {}
  double between(double low, double high) { return low + (high - low) * rng_.uniform(next_++); }
  std::uint32_t below(std::uint32_t bound) { return rng_.below(next_++, bound); }

 private:
  const Rng& rng_;
  std::uint64_t next_;
};

double squared_distance(Point p, Point a, Point b) {
  const Point d = {b.x - a.x, b.y - a.y};
  const double length = d.x * d.x + d.y * d.y;
  const double along = length > 0 ? ((p.x - a.x) * d.x + (p.y - a.y) * d.y) / length : 0;
  const double t = std::clamp(along, 0.0, 1.0);
  const Point gap = {p.x - a.x - t * d.x, p.y - a.y - t * d.y};
  return gap.x * gap.x + gap.y * gap.y;
}

// Trembling, slanted, stretched and moved, in pixels.
std::size_t place(std::span<const Point> stroke, Draws& draws, std::array<Point, kMaxPoints>& out) {
  const double width = draws.between(5.5, 9);
  const double height = draws.between(9, 12);
  const double slant = draws.between(-2.5, 2.5);
  const double tilt = draws.between(-1, 1);
  const double middle = (kDigitSide - 1) / 2.0;
  const Point centre = {middle + draws.between(-1.5, 1.5), middle + draws.between(-1.5, 1.5)};
  for (std::size_t i = 0; i < stroke.size(); ++i) {
    const double x = stroke[i].x - 0.5 + draws.between(-0.06, 0.06);
    const double y = stroke[i].y - 0.5 + draws.between(-0.06, 0.06);
    out[i] = {centre.x + width * x - slant * y, centre.y + height * y + tilt * x};
  }
  return stroke.size();
}

constexpr std::size_t kPixels = kDigitSide * kDigitSide;

// The squared distance of each pixel from the stroke. A segment is measured from the pixels that its ink may reach.
std::array<double, kPixels> distances(std::span<const Point> points, double reach) {
  std::array<double, kPixels> nearest;
  nearest.fill(1e9);
  const auto pixel = [](double at) { return static_cast<std::size_t>(std::clamp(at, 0.0, double{kDigitSide})); };
  for (std::size_t k = 0; k + 1 < points.size(); ++k) {
    const auto [left, right] = std::minmax(points[k].x, points[k + 1].x);
    const auto [top, bottom] = std::minmax(points[k].y, points[k + 1].y);
    for (std::size_t y = pixel(top - reach); y < pixel(bottom + reach + 1); ++y) {
      for (std::size_t x = pixel(left - reach); x < pixel(right + reach + 1); ++x) {
        double& distance = nearest[y * kDigitSide + x];
        distance = std::min(
            distance, squared_distance({static_cast<double>(x), static_cast<double>(y)}, points[k], points[k + 1]));
      }
    }
  }
  return nearest;
}

void draw(std::uint32_t digit, Draws& draws, std::span<std::uint8_t> pixels) {
  std::array<Point, kMaxPoints> points{};
  const std::size_t count = place(kDigits[digit], draws, points);
  const double thickness = draws.between(0.4, 1.1);
  const double ink = draws.between(120, 230);
  const double noise = draws.between(20, 80);
  const std::array<double, kPixels> nearest = distances(std::span(points).first(count), thickness + 1);
  for (std::size_t i = 0; i < kPixels; ++i) {
    const double cover = std::clamp(thickness + 0.5 - std::sqrt(nearest[i]), 0.0, 1.0);
    const double value = ink * cover + noise * draws.between(-0.5, 1);
    pixels[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
  }
}

}  // namespace

Matrix make_digits(std::size_t rows, const Rng& rng) {
  Matrix matrix;
  matrix.rows = rows;
  matrix.cols = kPixels;
  matrix.bytes.resize(rows * kPixels);
  matrix.labels.resize(rows);
  matrix.labels_source = "builtin";
  for (std::size_t row = 0; row < rows; ++row) {
    Draws draws(rng, row);
    const std::uint32_t digit = draws.below(10);
    matrix.labels[row] = static_cast<std::int32_t>(digit);
    draw(digit, draws, std::span(matrix.bytes).subspan(row * kPixels, kPixels));
  }
  return matrix;
}

}  // namespace halfstep::internal::data
