// SPDX-License-Identifier: Apache-2.0
// How far two functions are apart, or a function in a short format from itself in real numbers. Values are correctly
// rounded doubles: gaps are good to 2^-52 of the values.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tool/curves.h"
#include "tool/output.h"
#include "tool/picture.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

using Json = nlohmann::ordered_json;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kPoints = 400;  ///< of a curve in a picture

struct Options {
  std::vector<std::string> functions;
  std::string dtype, output, from = "-8", to = "8";
  int order = 0;
  bool json = false;
};

std::string nine(double value) { return fmt::format("{:.9g}", value == 0 ? 0.0 : value); }

std::vector<double> evaluate(const Call& call, int order, const std::vector<double>& x) {
  std::vector<double> y(x.size());
  call.apply(static_cast<Order>(order), Format::f64, x.data(), y.data(), x.size(), current_target());
  return y;
}
double evaluate(const Call& call, int order, double x) { return evaluate(call, order, std::vector{x})[0]; }

/// Where the sign of `f` changes between a and b, which it does.
double bisect(const std::function<double(double)>& f, double a, double b) {
  const bool rising = f(a) < 0;
  for (int i = 0; i < 200; ++i) {
    const double middle = a + (b - a) / 2;
    if (middle <= a || middle >= b) break;
    ((f(middle) < 0) == rising ? a : b) = middle;
  }
  return std::fabs(a) < std::fabs(b) ? a : b;
}

/// Where `f`, with one maximum between a and b, has it; as well as doubles tell, which is to half their digits.
double golden(const std::function<double(double)>& f, double a, double b) {
  constexpr double kRatio = 0.6180339887498949;
  double left = b - kRatio * (b - a), right = a + kRatio * (b - a), at_left = f(left), at_right = f(right);
  for (int i = 0; i < 80; ++i) {
    if (at_left >= at_right) {
      b = right, right = left, at_right = at_left, left = b - kRatio * (b - a), at_left = f(left);
    } else {
      a = left, left = right, at_left = at_right, right = a + kRatio * (b - a), at_right = f(right);
    }
  }
  return a + (b - a) / 2;
}

struct Place {
  double x, f, g;
  double difference() const { return f - g; }
  double gap() const { return std::isnan(f - g) ? 0 : std::fabs(f - g); }
};

struct Interval {
  double from, to;
};

/// F - G.
class Difference {
 public:
  Difference(const Call& f, const Call& g, int order, Range range) : f_(f), g_(g), order_(order), range_(range) {
    constexpr std::size_t kGrid = 16384;
    std::vector<double> x;
    for (std::size_t i = 0; i <= kGrid; ++i)
      x.push_back(range.from + (static_cast<double>(range.to) - range.from) * static_cast<double>(i) / kGrid);
    for (const Call* call : {&f, &g})
      for (const float kink : tool::kinks(*call, range)) {
        kinks_.push_back(kink);
        // Its limits from both sides; the float's neighbours where the kink itself is not a float.
        for (const double near : {static_cast<double>(std::nextafter(kink, -INFINITY)),
                                  std::nextafter(static_cast<double>(kink), -kInfinity), static_cast<double>(kink),
                                  std::nextafter(static_cast<double>(kink), kInfinity),
                                  static_cast<double>(std::nextafter(kink, INFINITY))})
          if (near >= range.from && near <= range.to) x.push_back(near);
      }
    std::sort(kinks_.begin(), kinks_.end());
    std::sort(x.begin(), x.end());
    x.erase(std::unique(x.begin(), x.end()), x.end());
    const std::vector<double> y = evaluate(f, order, x), z = evaluate(g, order, x);
    for (std::size_t i = 0; i < x.size(); ++i) grid_.push_back({x[i], y[i], z[i]});
  }

  Place at(double x) const { return {x, evaluate(f_, order_, x), evaluate(g_, order_, x)}; }

  /// The largest gaps, all that are equally large. Empty where no gap is larger than the roundings.
  std::vector<Place> largest() const {
    std::vector<Place> peaks;
    for (std::size_t i = 0; i < grid_.size(); ++i)
      if ((i == 0 || grid_[i].gap() >= grid_[i - 1].gap()) &&
          (i + 1 == grid_.size() || grid_[i].gap() >= grid_[i + 1].gap()) && !same(grid_[i]))
        peaks.push_back(refined(i));
    double most = 0;
    for (const Place& peak : peaks) most = std::max(most, peak.gap());
    std::vector<Place> list;
    for (const Place& peak : peaks)
      if (peak.gap() == most || peak.gap() > most * (1 - 1e-12))
        if (list.empty() || std::fabs(peak.x - list.back().x) > 1e-6) list.push_back(peak);
    return list;
  }

  /// The mean of |F - G|.
  double mean() const {
    double sum = 0;
    for (std::size_t i = 1; i < grid_.size(); ++i)
      sum += (grid_[i].gap() + grid_[i - 1].gap()) / 2 * (grid_[i].x - grid_[i - 1].x);
    return sum / (static_cast<double>(range_.to) - range_.from);
  }

  std::vector<double> crossings() const {
    std::vector<double> list;
    const Place* before = nullptr;  // the last one that is not the same
    bool plateau = false;
    for (std::size_t i = 0; i < grid_.size(); ++i) {
      const Place& place = grid_[i];
      if (same(place)) {
        plateau = i > 0 && same(grid_[i - 1]);
        continue;
      }
      if (before && !plateau && (before->difference() < 0) != (place.difference() < 0))
        list.push_back(bisect([this](double x) { return at(x).difference(); }, before->x, place.x));
      before = &place;
      plateau = false;
    }
    return list;
  }

  /// Where both are the same as far as doubles tell.
  std::vector<Interval> equal() const {
    std::vector<Interval> list;
    for (std::size_t i = 0; i < grid_.size();) {
      std::size_t end = i;
      while (end < grid_.size() && same(grid_[end])) ++end;
      if (end - i > 3) list.push_back({grid_[i].x, grid_[end - 1].x});
      i = std::max(end, i + 1);
    }
    return list;
  }

  /// The limit of F - G; nothing where it has none.
  std::optional<double> far(double sign) const {
    const Place end = at(sign * kInfinity), near = at(sign * 0x1p20), away = at(sign * 0x1p26);
    if (std::isfinite(end.difference())) return end.difference();
    if (std::isinf(end.difference())) return end.difference();
    if (std::isnan(end.f) || std::isnan(end.g)) return std::nullopt;
    // inf - inf: what the difference does far out.
    if (away.gap() < 1e-6) return 0;
    if (std::fabs(away.difference() - near.difference()) < 1e-5 * (1 + near.gap()))
      return std::round(away.difference() * 1e6) / 1e6;
    if (away.gap() > 4 * near.gap()) return std::copysign(kInfinity, away.difference());
    return std::nullopt;
  }

  Panel panel() const {
    Panel drawn;
    drawn.title = fmt::format("{} \u2212 {}", f_.text(), g_.text());
    drawn.legend = false;
    drawn.range = range_;
    drawn.kinks.assign(kinks_.begin(), kinks_.end());
    Panel::Line line{"", {{{}}, {}, {}}, 3};
    const std::size_t stride = std::max<std::size_t>(grid_.size() / kPoints, 1);
    for (std::size_t i = 0; i < grid_.size(); ++i) {
      const Place& place = grid_[i];
      const bool kink = std::binary_search(kinks_.begin(), kinks_.end(), place.x);
      const bool beside = (i > 0 && std::binary_search(kinks_.begin(), kinks_.end(), grid_[i - 1].x)) ||
                          (i + 1 < grid_.size() && std::binary_search(kinks_.begin(), kinks_.end(), grid_[i + 1].x));
      if (kink) line.curve.pieces.emplace_back();
      if (!kink && (beside || i % stride == 0 || i + 1 == grid_.size()) && std::isfinite(place.difference()))
        line.curve.pieces.back().push_back({static_cast<float>(place.x), static_cast<float>(place.difference())});
    }
    drawn.lines.push_back(std::move(line));
    return drawn;
  }

 private:
  static bool same(const Place& place) {
    return place.f == place.g || place.gap() <= 0x1p-51 * std::max(std::fabs(place.f), std::fabs(place.g)) ||
           std::isnan(place.f - place.g);
  }

  Place refined(std::size_t i) const {
    if (i == 0 || i + 1 == grid_.size() || !std::isfinite(grid_[i].gap())) return grid_[i];
    const double a = grid_[i - 1].x, b = grid_[i + 1].x;
    const auto gap = [this](double x) { return at(x).gap(); };
    const auto slope = [this](double x) { return evaluate(f_, order_ + 1, x) - evaluate(g_, order_ + 1, x); };
    const bool by_slope = order_ < 2 && slope(a) * slope(b) < 0;
    const Place best = at(by_slope ? bisect(slope, a, b) : golden(gap, a, b));
    return best.gap() >= grid_[i].gap() * (1 - 1e-14) && best.gap() > 0 ? best : grid_[i];
  }

  const Call &f_, &g_;
  int order_;
  Range range_;
  std::vector<double> kinks_;
  std::vector<Place> grid_;
};

void line(std::string_view label, const std::string& text) {
  if (!text.empty()) fmt::print("{:<15} {}\n", label, text);
}

std::string limit_text(std::optional<double> limit) { return limit ? nine(*limit) : "no limit"; }

void save(const std::vector<Panel>& panels, const std::string& output) {
  OutputFile file(output);
  const std::string bytes = draw(panels, {std::filesystem::path(output).extension(), 760, 680}, 1);
  file.write(bytes.data(), bytes.size(), 0);
  file.commit();
}

void of_two(const Options& options, const Call& f, const Call& g, Range range) {
  const Difference difference(f, g, options.order, range);
  const std::vector<Place> largest = difference.largest();
  const std::vector<double> crossings = difference.crossings();
  const std::vector<Interval> equal = difference.equal();
  const double mean = difference.mean();
  if (!options.output.empty()) {
    Panel curves = panel({f, g}, {options.order}, range, kPoints);
    curves.shades.clear();
    save({curves, difference.panel()}, options.output);
  }

  if (options.json) {
    Json json = {{"functions", {f.text(), g.text()}},
                 {"order", options.order},
                 {"from", nine(range.from)},
                 {"to", nine(range.to)},
                 {"gaps", Json::array()},
                 {"mean", nine(mean)}};
    for (const Place& place : largest)
      json["gaps"].push_back(
          {{"x", nine(place.x)}, {"difference", nine(place.difference())}, {"values", {nine(place.f), nine(place.g)}}});
    json["crossings"] = Json::array();
    for (const double x : crossings) json["crossings"].push_back(nine(x));
    json["equal"] = Json::array();
    for (const Interval& interval : equal) json["equal"].push_back({nine(interval.from), nine(interval.to)});
    json["limits"] = {{"-inf", limit_text(difference.far(-1))}, {"+inf", limit_text(difference.far(1))}};
    fmt::print("{}\n", json.dump(1));
    return;
  }
  const std::string prime(order_name(options.order).substr(1));
  fmt::print("{0}{2} - {1}{2} on [{3}, {4}]\n\n", f.text(), g.text(), prime, nine(range.from), nine(range.to));
  if (largest.empty()) line("largest gap", "none");
  for (const Place& place : largest)
    line(&place == &largest.front() ? "largest gap" : "",
         fmt::format("{} at x = {}: {} and {}", nine(place.gap()), nine(place.x), nine(place.f), nine(place.g)));
  line("mean gap", nine(mean));
  constexpr std::size_t kShown = 12;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < std::min(crossings.size(), kShown); ++i) texts.push_back(nine(crossings[i]));
  if (crossings.size() > kShown) texts.push_back(fmt::format("and {} more", crossings.size() - kShown));
  line("they cross at", fmt::format("{}", fmt::join(texts, ", ")));
  texts.clear();
  for (const Interval& interval : equal)
    texts.push_back(fmt::format("[{:.4g}, {:.4g}]", interval.from == 0 ? 0.0 : interval.from, interval.to));
  line("equal on", fmt::format("{}", fmt::join(texts, ", ")));
  line("at -inf", fmt::format("difference {}", limit_text(difference.far(-1))));
  line("at +inf", fmt::format("difference {}", limit_text(difference.far(1))));
}

/// A function in a short format: the curve becomes a staircase. A step is a number of the format; every real number
/// nearest to it gets its result.
class Staircase {
 public:
  Staircase(const Call& call, int order, Format format, Range range) : call_(call), order_(order), range_(range) {
    const std::size_t bytes = info_of(format).bytes, codes = std::size_t{1} << (8 * bytes);
    std::vector<std::pair<double, std::uint64_t>> numbers;
    for (std::size_t code = 0; code < codes; ++code) {
      const double x = decode(format, code);
      if (std::isfinite(x) && !(x == 0 && std::signbit(x))) numbers.emplace_back(x, code);
    }
    std::sort(numbers.begin(), numbers.end());
    const auto first =
        std::upper_bound(numbers.begin(), numbers.end(), std::pair(static_cast<double>(range.from), codes));
    const auto last = std::upper_bound(numbers.begin(), numbers.end(), std::pair(static_cast<double>(range.to), codes));
    const auto begin = first == numbers.begin() ? first : first - 1, end = last == numbers.end() ? last : last + 1;

    std::vector<std::uint8_t> bytes_of;
    std::vector<double> x;
    const std::size_t inside = bytes == 1 ? 9 : 1;
    for (auto number = begin; number != end; ++number) {
      for (std::size_t k = 0; k < bytes; ++k) bytes_of.push_back(static_cast<std::uint8_t>(number->second >> (8 * k)));
      const double below = number == numbers.begin() ? number->first : (number - 1)->first;
      const double above = number + 1 == numbers.end() ? number->first : (number + 1)->first;
      Step step{number->first, 0, clamped((below + number->first) / 2), clamped((number->first + above) / 2), {}};
      step.middle = clamped(step.x) == step.x;
      if (!(step.from < step.to)) {  // outside of the range
        for (std::size_t k = 0; k < bytes; ++k) bytes_of.pop_back();
        continue;
      }
      for (std::size_t k = 0; k <= inside + 1; ++k)
        step.samples.push_back(
            {step.from + (step.to - step.from) * static_cast<double>(k) / static_cast<double>(inside + 1), 0});
      if (step.middle) step.samples.push_back({step.x, 0});
      steps_.push_back(std::move(step));
    }
    call.apply(static_cast<Order>(order), format, bytes_of.data(), bytes_of.data(), steps_.size(), current_target());
    for (const Step& step : steps_)
      for (const Sample& sample : step.samples) x.push_back(sample.x);
    const std::vector<double> y = evaluate(call, order, x);
    const double* next = y.data();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      std::uint64_t code = 0;
      for (std::size_t k = 0; k < bytes; ++k) code |= std::uint64_t{bytes_of[i * bytes + k]} << (8 * k);
      steps_[i].y = decode(format, code);
      for (Sample& sample : steps_[i].samples) sample.y = *next++;
    }
    least_ = std::ldexp(1.0, info_of(format).least_exponent);
  }

  struct Gap {
    double size = 0, x = 0, result = 0, truth = 0;
    Json json() const {
      return {{"gap", nine(size)}, {"x", nine(x)}, {"result", nine(result)}, {"truth", nine(truth)}};
    }
    std::string text() const {
      return fmt::format("{} at x = {}: {} in place of {}", nine(size), nine(x), nine(result), nine(truth));
    }
  };
  /// Over the format's own numbers, or over all real numbers, which are rounded to them first. Relative gaps are about
  /// values that are not below the format's least normal number.
  Gap largest(bool reals, bool relative) const {
    Gap most;
    for (const Step& step : steps_)
      for (std::size_t i = 0; i < step.samples.size(); ++i) {
        const Sample& sample = step.samples[i];
        if (!reals && !(step.middle && i + 1 == step.samples.size())) continue;
        if (relative && !(std::fabs(sample.y) >= least_)) continue;
        const double gap = std::fabs(step.y - sample.y) / (relative ? std::fabs(sample.y) : 1);
        if (gap > most.size) most = {gap, sample.x, step.y, sample.y};
      }
    return most;
  }

  std::size_t numbers() const {
    return static_cast<std::size_t>(std::count_if(steps_.begin(), steps_.end(), [](auto& s) { return s.middle; }));
  }
  std::size_t results() const {
    std::vector<double> y;
    for (const Step& step : steps_)
      if (step.middle) y.push_back(step.y);
    std::sort(y.begin(), y.end());
    return static_cast<std::size_t>(std::unique(y.begin(), y.end()) - y.begin());
  }
  /// The format's numbers where its result is 0 and the real one is not.
  std::size_t vanished() const {
    return static_cast<std::size_t>(std::count_if(
        steps_.begin(), steps_.end(), [](auto& s) { return s.middle && s.y == 0 && s.samples.back().y != 0; }));
  }

  std::vector<Panel> panels(std::string_view dtype) const {
    Panel curves = panel({call_}, {order_}, range_, kPoints), gaps;
    curves.shades.clear();
    curves.roots.clear();
    curves.title = fmt::format("{} in {}", call_.text(), dtype);
    Panel::Line stairs{std::string(dtype), {}, 1, "1", 1.4}, line{"", {{{}}, {}, {}}, 3, "1", 1};
    curves.lines.front().label = "real numbers", curves.lines.front().width = 1.2;
    curves.lines.front().colour = 0;
    constexpr std::size_t kColumns = kPoints;
    const auto column = [&](double x) {
      return static_cast<std::size_t>((x - range_.from) / (static_cast<double>(range_.to) - range_.from) * kColumns);
    };
    const auto single = [](double value) { return static_cast<float>(value); };
    // Of many steps in one column of the picture, the two extremes.
    std::size_t shown = kColumns + 1;
    for (const Step& step : steps_) {
      if (!(step.from <= step.to) || !std::isfinite(step.y)) continue;
      if (column(step.from) != shown || column(step.to) != shown) {
        stairs.curve.pieces.push_back({{single(step.from), single(step.y)}, {single(step.to), single(step.y)}});
        shown = column(step.to);
      }
    }
    std::vector<Point> low(kColumns + 1, {0, INFINITY}), high(kColumns + 1, {0, -INFINITY});
    const bool few = steps_.size() < kColumns / 2;
    for (const Step& step : steps_) {
      if (!(step.from <= step.to)) continue;
      if (few) line.curve.pieces.emplace_back();
      for (std::size_t i = 0; i + (step.middle ? 1 : 0) < step.samples.size(); ++i) {
        const Sample& sample = step.samples[i];
        const float gap = single(step.y - sample.y), x = single(sample.x);
        if (!std::isfinite(gap)) continue;
        if (few && i % 2 == 0) line.curve.pieces.back().push_back({x, gap});
        Point &least = low[column(sample.x)], &most = high[column(sample.x)];
        if (gap < least.y) least = {x, gap};
        if (gap > most.y) most = {x, gap};
      }
    }
    if (!few) {
      line.curve.pieces.assign(1, {});
      for (std::size_t i = 0; i <= kColumns; ++i)
        if (std::isfinite(low[i].y)) line.curve.pieces.back().insert(line.curve.pieces.back().end(), {low[i], high[i]});
    }
    curves.lines.push_back(std::move(stairs));
    gaps.title = fmt::format("{} \u2212 real numbers", dtype);
    gaps.legend = false;
    gaps.range = range_;
    gaps.lines.push_back(std::move(line));
    return {curves, gaps};
  }

 private:
  struct Sample {
    double x, y;
  };
  struct Step {
    double x, y, from, to;
    std::vector<Sample> samples;  ///< real; the last one is the step's own number, if it lies in the range
    bool middle = false;
  };
  double clamped(double x) const {
    return std::clamp(x, static_cast<double>(range_.from), static_cast<double>(range_.to));
  }

  const Call& call_;
  int order_;
  Range range_;
  double least_;
  std::vector<Step> steps_;
};

void of_format(const Options& options, const Call& call, Range range) {
  Format format = Format::f16;
  for (std::size_t i = 0; i < kFormatCount; ++i)
    if (kFormats[i].name == options.dtype) format = static_cast<Format>(i);
  const Staircase stairs(call, options.order, format, range);
  if (!options.output.empty()) save(stairs.panels(options.dtype), options.output);
  const auto own = stairs.largest(false, false), own_relative = stairs.largest(false, true);
  const auto real = stairs.largest(true, false), real_relative = stairs.largest(true, true);
  if (options.json) {
    fmt::print("{}\n", Json{{"function", call.text()},
                            {"order", options.order},
                            {"dtype", options.dtype},
                            {"from", nine(range.from)},
                            {"to", nine(range.to)},
                            {"numbers", stairs.numbers()},
                            {"results", stairs.results()},
                            {"vanished", stairs.vanished()},
                            {"at_numbers", {{"absolute", own.json()}, {"relative", own_relative.json()}}},
                            {"at_reals", {{"absolute", real.json()}, {"relative", real_relative.json()}}}}
                           .dump(1));
    return;
  }
  fmt::print("{}{} in {} on [{}, {}]\n\n", call.text(), order_name(options.order).substr(1), options.dtype,
             nine(range.from), nine(range.to));
  line("numbers", fmt::format("{}, with {} different results", stairs.numbers(), stairs.results()));
  if (stairs.vanished() > 0) line("", fmt::format("{} results are 0, the real ones are not", stairs.vanished()));
  fmt::print("\nAt the format's numbers: the result is rounded.\n");
  line("largest gap", own.text());
  line("relative", own_relative.text());
  fmt::print("\nAt all real numbers: they are rounded, too.\n");
  line("largest gap", real.text());
  line("relative", real_relative.text());
  fmt::print("\nRelative gaps: of values that are normal numbers in {}.\n", options.dtype);
}

void diff(const Options& options) {
  std::vector<Call> calls;
  for (const std::string& text : options.functions) {
    calls.push_back(parse_function(text));
    if (!calls.back().entry->elementwise()) fail("{} works on rows: it has no curve", calls.back().text());
  }
  if (calls.size() > 2) fail("'{}' is one function too many: two are compared", options.functions[2]);
  if (calls.size() == 2 && !options.dtype.empty())
    fail("--dtype compares one function with itself in real numbers; '{}' is a second one", options.functions[1]);
  if (calls.size() == 1 && options.dtype.empty())
    fail("{} must be compared with something: a second function, or --dtype", calls[0].text());
  const Range range = parse_range(fmt::format("{}:{}", trim(options.from), trim(options.to)));
  if (!options.output.empty() && !is_picture(std::filesystem::path(options.output).extension().string()))
    fail("cannot draw {}: its name must end in .svg, .png or .pdf", options.output);
  calls.size() == 2 ? of_two(options, calls[0], calls[1], range) : of_format(options, calls[0], range);
}

}  // namespace

void add_diff(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("diff",
                                      "How far two functions are apart, or a function in a short format from "
                                      "itself in real numbers");
  auto options = std::make_shared<Options>();
  verb->add_option("FUNCTION", options->functions, "One or two of NAME or NAME:PARAMETER=VALUE,...")->required();
  verb->add_option("--dtype", options->dtype, "One function: in this format, against itself in real numbers")
      ->check(CLI::IsMember({"f16", "bf16", "f8e4m3fn", "f8e5m2"}));
  verb->add_option("--order", options->order, "0 value, 1 first, 2 second derivative")->check(CLI::Range(0, 2));
  verb->add_option("--from", options->from, "The interval's lower end")->capture_default_str();
  verb->add_option("--to", options->to, "The interval's upper end")->capture_default_str();
  verb->add_option("-o,--output", options->output, "FILE.svg, FILE.png or FILE.pdf: both curves and the difference");
  verb->add_flag("--json", options->json, "As a JSON object");
  verb->footer(
      "Examples:\n  actfun diff gelu gelu_tanh\n  actfun diff silu hard_swish --order 1 -o silu.svg\n"
      "  actfun diff gelu --dtype bf16 --from -4 --to 4");
  verb->callback([options] { diff(*options); });
}

}  // namespace actfun::tool
