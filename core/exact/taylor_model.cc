// SPDX-License-Identifier: Apache-2.0
#include "core/exact/taylor_model.h"

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <optional>

namespace actfun::exact {
namespace {

static_assert(LDBL_MAX_EXP >= 16384, "bounds are added up in long double, whose exponents must not underflow");

constexpr int kDegree = Model::kDegree, kOrder = kDegree + 1 + 2;  // a remainder of f'' is a coefficient of f
constexpr long double kUnit = 0x1p-53L;
constexpr long double kGrow = 1 + 0x1p-40L;    // outweighs the roundings of a sum of bounds (fewer than 2^10, of 2^-64)
constexpr double kGood = 0x1p-52;              // relative error of a model that is good enough
constexpr long double kUnderflow = 0x1p-151L;  // what is smaller rounds to zero
constexpr long double kLargest = 0x1p320L;     // well inside of double's range, and beyond float's
constexpr std::uint32_t kInfinity = 0x7f800000, kFewest = 8;

float float_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }
bool same(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

/// An upper bound of |v|.
long double magnitude(const Interval& v) {
  if (!v.defined()) return HUGE_VALL;
  return std::max(std::abs(mpfr_get_ld(v.lower(), MPFR_RNDD)), std::abs(mpfr_get_ld(v.upper(), MPFR_RNDU)));
}
double nearest(const Interval& v) { return mpfr_get_d(v.lower(), MPFR_RNDN) + 0.0; }

/// The Taylor coefficients of f, f' or f'' in powers of h = (x - c) 2^exponent.
struct Coefficients {
  const Series& f;
  int order, exponent;

  Interval operator[](int k) const {
    int factorial = 1;
    for (int i = 2; i <= k; ++i) factorial *= i;
    const Interval& d = f[static_cast<std::size_t>(k + order)];
    return scaled(factorial == 1 ? d : d / factorial, -static_cast<long>(k) * exponent);
  }
};

long double power(long double r, int k) {
  long double p = 1;
  for (; k > 0; --k) p *= r;
  return p;
}

class Builder {
 public:
  Builder(const Pointwise& pointwise, bool negative) : pointwise_(pointwise), sign_(negative ? 0x80000000 : 0) {}

  // Zero is a place of its own: relative accuracy down to the least subnormal needs an expansion at 0.
  std::vector<Piece> build() {
    const std::uint32_t edge = std::bit_cast<std::uint32_t>(0x1p-8f);
    around_zero(edge);
    between(edge + 1, kInfinity - 1);
    return std::move(pieces_);
  }

 private:
  float input(std::uint32_t bits) const { return float_of(bits | sign_); }
  double real(std::uint32_t bits) const { return static_cast<double>(input(bits)); }

  void around_zero(std::uint32_t last) {
    if (attempt(1, last, true)) return;
    const auto nearer = std::bit_cast<std::uint32_t>(float_of(last) * 0x1p-8f);
    if (nearer > 0) around_zero(nearer);
    between(nearer + 1, last);
  }

  void between(std::uint32_t first, std::uint32_t last) {
    if (first > last || attempt(first, last, false)) return;
    const std::uint32_t middle = first + (last - first) / 2;
    between(first, middle);
    between(middle + 1, last);
  }

  /// Appends the piece, or says that it must be cut.
  bool attempt(std::uint32_t first, std::uint32_t last, bool at_zero) {
    Piece piece{first, last, 0, 1, {}};
    const bool few = last - first < kFewest, narrow = at_zero || (last >> 23) - (first >> 23) <= 1;
    Decisions& decisions = Decisions::current();
    decisions = {};
    std::vector<bool> branches;
    bool open_end = false, good = true;
    try {
      const Series over = [&] {
        const Precision precision(96);
        const Series::Order order(narrow ? kOrder : 3);
        return pointwise_.definition()(Series::variable(Interval::hull(at_zero ? 0 : real(first), real(last))));
      }();
      branches = std::move(decisions.record);
      open_end = decisions.open_end;
      if (over.size() <= 3) add_polynomials(piece, branches, over.size());
      for (int order = 0; order < 3; ++order)
        if (piece.models[order].kind == Model::Kind::none) add_constant(piece, over, order, at_zero);
      const auto missing = [](const Model& m) { return m.kind == Model::Kind::none; };
      if (std::any_of(piece.models, piece.models + 3, missing))
        good = narrow && !few && add_expansions(piece, over, branches, at_zero);
    } catch (const Undecided&) {
      good = false;
    }
    if (!good && !few) return false;
    if (!open_end) {
      pieces_.push_back(piece);
      return true;
    }
    // A comparison came out differently on an end of the piece: that float by itself, and perhaps its fellow too.
    if (!at_zero) add_single(first, piece.center);
    Piece inner = piece;
    inner.first += !at_zero, inner.last -= 1;
    if (inner.first <= inner.last) pieces_.push_back(inner);
    if (at_zero || last > first) add_single(last, piece.center);
    return true;
  }

  void add_single(std::uint32_t bits, double center) {
    Piece piece{bits, bits, center, 1, {}};
    for (int order = 0; order < 3; ++order)
      piece.models[order] = constant(pointwise_.round(input(bits), static_cast<Order>(order)));
    pieces_.push_back(piece);
  }

  static Model constant(float value) {
    Model m;
    m.kind = Model::Kind::constant;
    m.constant = value;
    return m;
  }

  Series at(double center, const std::vector<bool>& branches, mpfr_prec_t bits, int order) const {
    const Precision precision(bits);
    const Series::Order truncation(static_cast<std::size_t>(order));
    Decisions& decisions = Decisions::current();
    decisions = {};
    decisions.replay = &branches;
    Series s = pointwise_.definition()(Series::variable(center));
    decisions = {};
    return s;
  }

  // The series over the piece ends after h^2: f is a polynomial there, the one whose expansion at 0 we can have.
  void add_polynomials(Piece& piece, const std::vector<bool>& branches, std::size_t size) const {
    const Series p = at(0, branches, 160, 3);
    if (p.size() > size) return;
    for (int order = 0; order < 3; ++order) {
      double c[3];
      bool exact = true;
      for (int k = 0; k < 3; ++k) {
        const Interval v = Coefficients{p, order, 0}[k];
        exact = exact && v.defined() && v.point();
        c[k] = exact ? nearest(v) : 0;
        exact = exact && mpfr_cmp_d(v.lower(), c[k]) == 0 &&
                (c[k] == 0 || (std::abs(c[k]) > 0x1p-600 && std::abs(c[k]) < 0x1p600));
      }
      if (!exact) continue;
      Model& m = piece.models[order];
      m.lead = c[0], m.tail[0] = c[1], m.tail[1] = c[2];
      m.kind = Model::Kind::polynomial;
      if (c[1] == 0 && c[2] == 0) m = constant(pointwise_.round(input(piece.first), static_cast<Order>(order)));
    }
  }

  void add_constant(Piece& piece, const Series& over, int order, bool at_zero) const {
    const Interval& v = over[static_cast<std::size_t>(order)];
    if (v.zero()) {
      piece.models[order] = constant(pointwise_.round(input(piece.first), static_cast<Order>(order)));
      return;
    }
    const auto value = rounded(v, {});
    // Where numbers on the way exceed even MPFR's range, what has vanished in a tail remains so.
    const bool tail = !v.bounded() && !at_zero && pointwise_.vanishes(input(piece.first), static_cast<Order>(order));
    if (tail || (!value && magnitude(v) < kUnderflow)) {
      add_underflow(piece, order);
      return;
    }
    if (at_zero && v.contains_zero()) return;
    if (value) piece.models[order] = constant(static_cast<float>(*value));
  }

  // All of the piece underflows. No enclosure tells its sign (it may reach zero at an end, or be too wide), so look at
  // three inputs: a function that has underflowed keeps its sign until it comes back.
  bool add_underflow(Piece& piece, int order) const {
    const auto sample = [&](std::uint32_t bits) { return pointwise_.round(input(bits), static_cast<Order>(order)); };
    const float first = sample(piece.first), middle = sample(piece.first + (piece.last - piece.first) / 2);
    if (first != 0 || !same(first, middle) || !same(first, sample(piece.last))) return false;
    piece.models[order] = constant(first);
    return true;
  }

  bool add_expansions(Piece& piece, const Series& over, const std::vector<bool>& branches, bool at_zero) const {
    const std::uint32_t middle = piece.first + (piece.last - piece.first) / 2;
    piece.center = at_zero ? 0 : real(middle);
    const long double first = at_zero ? 0 : real(piece.first), last = real(piece.last);
    int exponent;
    const long double radius =
        std::frexp(std::max(std::abs(last - piece.center), std::abs(first - piece.center)), &exponent);
    piece.scale = std::ldexp(1.0, -exponent);
    const auto remainder = [&](int order) { return magnitude(Coefficients{over, order, -exponent}[kDegree + 1]); };
    if (!at_zero)
      for (int order = 0; order < 3; ++order)
        if (piece.models[order].kind == Model::Kind::none &&
            !(remainder(order) * power(radius, kDegree + 1) <=
              std::max(kGood * magnitude(over[static_cast<std::size_t>(order)]), kUnderflow)))
          return false;  // not worth a series at the center
    for (mpfr_prec_t bits = 160; bits <= 1280; bits *= 2) {
      const Precision precision(bits);
      const Series f = at(piece.center, branches, bits, kOrder);
      bool good = true, precise = true;
      for (int order = 0; order < 3; ++order) {
        Model& m = piece.models[order];
        if (m.kind != Model::Kind::none) continue;
        const Coefficients c{f, order, -exponent};
        const std::optional<Model> found =
            at_zero ? rooted(c, remainder(order), radius, &precise) : centered(c, remainder(order), radius, &precise);
        if (!found)
          good = false;
        else if (found->kind == Model::Kind::constant)
          good = add_underflow(piece, order) && good;
        else
          m = *found;
      }
      if (good) return true;
      if (precise) return false;
    }
    return false;
  }

  /// |c - b| for the worst c of the interval.
  static long double difference(const Interval& c, double b) { return magnitude(c - b); }

  static bool ordinary(double c) { return std::abs(c) > 0x1p-320 && std::abs(c) < 0x1p320; }

  static std::optional<Model> centered(const Coefficients& c, long double remainder, long double radius,
                                       bool* precise) {
    Model m;
    m.kind = Model::Kind::centered;
    const Interval c0 = c[0];
    if (!c0.defined()) return std::nullopt;
    m.lead = nearest(c0);
    m.lead_low = nearest(c0 - m.lead);
    const long double lead_error = magnitude(c0 - m.lead - m.lead_low);
    long double error = lead_error, size = std::abs(m.lead), h = 1;
    for (int k = 1; k <= kDegree; ++k) {
      h *= radius;
      const Interval ck = c[k];
      const double b = m.tail[k - 1] = nearest(ck);
      error += difference(ck, b) * h + (k + 2) * kUnit * std::abs(b) * h;
      size += std::abs(b) * h;
    }
    error += remainder * h * radius + 8 * kUnit * kUnit * size + 0x1p-1000L;
    m.error = static_cast<double>(error * kGrow) * (1 + 0x1p-50);
    if (size + error < kUnderflow && lead_error < kUnderflow) return constant(0);  // the caller looks for the sign
    if (size < kLargest && m.error <= std::max(kGood * static_cast<double>(size), kGood * 0x1p-126)) return m;
    if (lead_error > kGood / 2 * size) *precise = false;
    return std::nullopt;
  }

  static std::optional<Model> rooted(const Coefficients& c, long double remainder, long double radius, bool* precise) {
    Model m;
    m.kind = Model::Kind::rooted;
    while (m.power < 4 && c[m.power].zero()) ++m.power;
    const Interval cm = c[m.power];
    if (!cm.defined()) return std::nullopt;
    m.lead = nearest(cm);
    m.lead_low = nearest(cm - m.lead);
    const long double lead_error = magnitude(cm - m.lead - m.lead_low);
    const long double lead = std::abs(m.lead);
    const bool exact = m.lead_low == 0 && m.power <= 2;
    m.error = static_cast<double>((lead_error + (exact ? 0 : 8 * kUnit * kUnit * lead)) * kGrow) * (1 + 0x1p-50);
    while (m.gap < 3 && c[m.power + m.gap].zero()) ++m.gap;
    long double error = 0, size = 0, h = 1;
    for (int j = 0; m.power + m.gap + j <= kDegree; ++j, h *= radius) {
      const Interval t = c[m.power + m.gap + j];
      const double b = m.tail[j] = nearest(t);
      error += difference(t, b) * h + (j + 8) * kUnit * std::abs(b) * h;
      size += std::abs(b) * h;
    }
    error += remainder * h;
    if (error > 0) error += 0x1p-1000L;
    m.tail_error = static_cast<double>(error * kGrow) * (1 + 0x1p-50);
    const long double gap = power(radius, m.gap);
    if (m.error <= kGood * std::abs(m.lead) && error * gap <= kGood * lead && size * gap <= lead / 2 &&
        size < kLargest && ordinary(m.lead))
      return m;
    if (lead_error > kGood / 2 * lead) *precise = false;
    return std::nullopt;
  }

  const Pointwise& pointwise_;
  const std::uint32_t sign_;
  std::vector<Piece> pieces_;
};

}  // namespace

std::vector<Piece> make_pieces(const Pointwise& pointwise, bool negative) {
  return Builder(pointwise, negative).build();
}

}  // namespace actfun::exact
