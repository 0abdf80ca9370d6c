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

constexpr int kDegree = Model::kDegree, kOrder = kDegree + 1 + 2,
              kTailOrder = 24;  // a remainder of f'' is a coefficient of f
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
  std::vector<Piece> build(std::uint32_t last) {
    if (last == 0) return {};
    const std::uint32_t edge = std::min(last, std::bit_cast<std::uint32_t>(0x1p-8f));
    around_zero(edge);
    const std::optional<Piece> far = last == kInfinity - 1 ? tail() : std::nullopt;
    between(edge + 1, far ? far->first - 1 : last);
    if (far) pieces_.push_back(*far);
    return std::move(pieces_);
  }

 private:
  /// So far out even bounded enclosures may hold factors that have left MPFR's range.
  bool far(const Piece& piece) const { return std::abs(input(piece.first)) >= 0x1p56f; }
  /// At the piece's ends comparisons may come out differently.
  float inside(const Piece& piece) const { return input(piece.first + (piece.last - piece.first) / 2); }
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
      if (over.size() <= 3) {
        add_polynomials(piece, branches, over.size());
        add_fractions(piece);
      }
      for (int order = 0; order < 3; ++order)
        if (piece.models[order].kind == Model::Kind::none) add_constant(piece, over, order, at_zero);
      for (int order = 0; order < 3; ++order)
        if (piece.models[order].kind == Model::Kind::none && narrow && !at_zero) add_asymptote(piece, over, order);
      const auto missing = [](const Model& m) { return m.kind == Model::Kind::none; };
      if (std::any_of(piece.models, piece.models + 3, missing))
        good = narrow && !few && add_expansions(piece, over, branches, at_zero);
    } catch (const Undecided&) {
      good = false;
    }
    if (!good && !few) return false;
    drop_margins(piece);
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

  // Where ties and all but ties are many (x/2 + x^2/4, the mean of two doubles times x) they are not worth listing.
  void drop_margins(Piece& piece) const {
    for (Model& m : piece.models) {
      if (m.kind == Model::Kind::constant || m.kind == Model::Kind::none) continue;
      float x[kBlock], y[kBlock];
      std::uint16_t doubtful[kBlock];
      for (std::uint32_t i = 0; i < kBlock; ++i)
        x[i] = input(piece.first + (piece.last - piece.first > 0 ? i * 2654435761u % (piece.last - piece.first) : 0));
      if (evaluate(piece, m, x, kBlock, y, doubtful) > 2) m.margin = 0;
    }
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

  // All that lies beyond 1/reach, if f is a series in powers of 1/x there.
  std::optional<Piece> tail() const {
    for (double reach = 0x1p-2; reach >= 0x1p-20; reach /= 2) {
      const Precision precision(320);
      const Series::Order truncation(kTailOrder);
      const Tail::Reach range(reach);
      Decisions::current() = {};
      try {
        const Tail f = pointwise_.definition().tail(Tail::variable(sign_ != 0));
        Piece piece{std::bit_cast<std::uint32_t>(static_cast<float>(1 / reach)), kInfinity - 1, 0, 1, {}};
        if (!add_tails(piece, f, reach)) continue;
        drop_margins(piece);
        return piece;
      } catch (const NoTail&) {
      } catch (const Undecided&) {
      }
    }
    return std::nullopt;
  }

  // With x = s/t, d/dx = -s t^2 d/dt: of t^n (c0 + c1 t + ...) it is t^(n+1) times the series of -s (n + k) ck. Over an
  // interval the k-th coefficient of t g' has t (k + 1) times the next one of g as well.
  bool add_tails(Piece& piece, const Tail& f, double reach) const {
    std::vector<Interval> at, over;
    Interval factorial(1);
    for (std::size_t k = 0; k + f.lost() <= kTailOrder; ++k) {
      if (k > 0) factorial = Interval(static_cast<int>(k)) * factorial;
      at.push_back(f.at_infinity()[k] / factorial);
      over.push_back(f.over()[k] / factorial);
    }
    int power = f.power();
    for (int order = 0; order < 3; ++order, ++power) {
      if (!add_tail(piece.models[order], at, over, power, reach)) return false;
      const int sign = sign_ != 0 ? 1 : -1;
      for (std::size_t k = 0; k + 1 < at.size(); ++k) {
        const Interval n(sign * (power + static_cast<int>(k))), next(sign * static_cast<int>(k + 1));
        at[k] = n * at[k];
        over[k] = n * over[k] + next * (Interval::hull(0, reach) * over[k + 1]);
      }
      at.pop_back(), over.pop_back();
    }
    return true;
  }

  static bool add_tail(Model& m, const std::vector<Interval>& at, const std::vector<Interval>& over, int power,
                       double reach) {
    m.kind = Model::Kind::tail;
    std::size_t k = 0;
    for (; power < 1; ++k, ++power) {
      if (k >= at.size()) return false;
      const Interval& c = at[k];
      if (c.zero()) continue;
      const double high = nearest(c);
      if (power == 0) {
        m.lead = high;
        m.lead_low = nearest(c - high);
        m.error = static_cast<double>(magnitude(c - m.lead - m.lead_low) * kGrow) * (1 + 0x1p-50);
      } else if (power == -1 && (c - high).zero()) {
        m.slope = high;
        m.margin = 0;  // c1 |x| + c0 makes many ties in some binades
      } else {
        return false;
      }
    }
    while (k < at.size() && at[k].zero()) ++k, ++power;
    if (k + Model::kDegree >= at.size() || power > 5) return false;
    m.power = power;
    long double error = 0, r = 1;
    for (int j = 0; j < Model::kDegree; ++j, r *= reach) {
      const Interval& c = at[k + static_cast<std::size_t>(j)];
      const double b = m.tail[j] = nearest(c);
      error += difference(c, b) * r + (2 * j + 2 * power + 4) * kUnit * std::abs(b) * r;
    }
    error += magnitude(over[k + Model::kDegree]) * r;
    m.tail_error = static_cast<double>(error * kGrow) * (1 + 0x1p-50);
    return ordinary(m.tail[0]) && m.tail_error <= 0x1p-46 * std::abs(m.tail[0]) &&
           m.error <= 0x1p-100 * std::abs(m.lead);
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
      if (c[1] == 0 && c[2] == 0) m = constant(pointwise_.round(inside(piece), static_cast<Order>(order)));
    }
  }

  /// The same where the coefficients are no doubles: 1/6, or the mean of two doubles.
  void add_fractions(Piece& piece) const {
    const double x = real(piece.first + (piece.last - piece.first) / 2);
    mpq_class f[3];
    try {
      const Rational r = pointwise_.definition().rational(Rational::variable(x));
      for (std::size_t k = 0; k < 3; ++k) f[k] = r.derivative(k);
    } catch (const Irrational&) {
      return;
    }
    for (int order = 0; order < 3; ++order) {
      Model& m = piece.models[order];
      if (m.kind != Model::Kind::none) continue;
      mpq_class c[3];
      for (int k = 0; k + order < 3; ++k) c[k] = f[k + order];
      c[2] /= 2;
      c[1] -= 2 * c[2] * x;
      c[0] -= (c[1] + c[2] * x) * x;
      mpz_class divisor = 1;
      for (const mpq_class& q : c) mpz_lcm(divisor.get_mpz_t(), divisor.get_mpz_t(), q.get_den_mpz_t());
      divisor >>= mpz_scan1(divisor.get_mpz_t(), 0);
      if (divisor > 1 << 20) continue;
      double high[3], low[3];
      bool exact = true;
      for (int k = 0; k < 3; ++k) {
        const mpq_class n = c[k] * mpq_class(divisor);
        high[k] = n.get_d();
        low[k] = mpq_class(n - high[k]).get_d();
        exact = exact && n == mpq_class(high[k]) + mpq_class(low[k]) && (high[k] == 0 || ordinary(high[k]));
      }
      if (!exact) continue;
      m.kind = Model::Kind::fraction;
      m.margin = 0;  // ties and all but ties are many: x/6 is one for every second x
      m.lead = high[0];
      const double rest[] = {high[1], high[2], low[0], low[1], low[2], divisor.get_d()};
      std::copy(std::begin(rest), std::end(rest), m.tail);
      if (high[1] == 0 && high[2] == 0) m = constant(pointwise_.round(inside(piece), static_cast<Order>(order)));
    }
  }

  // In a tail that approaches a straight line, c0 + c1 x + R with |R| tiny, x - tanh(x) = x - 1 + R for instance, R
  // decides ties and nothing else. If f' - c1 keeps its sign over the piece, R is monotone, so it lies between its
  // values at the ends; these have a sign, if only because their ends are open. Where MPFR's exponents have ended and
  // f' has settled on c1, how far it is off cannot be told: R is looked at in the middle, too.
  void add_asymptote(Piece& piece, const Series& over, int order) const {
    const auto k = static_cast<std::size_t>(order);
    if (over.size() <= k + 1) return;
    const auto small = [](const Interval& v, long double bound) { return magnitude(v) <= bound; };
    double c1 = nearest(over[k + 1]);
    const bool settled = order == 0 && far(piece) && piece.models[1].kind == Model::Kind::constant;
    if (settled) c1 = static_cast<double>(piece.models[1].constant);
    if (c1 == 0 || !ordinary(c1) || (!settled && !small(over[k + 1] - c1, 0x1p-80L * std::abs(c1)))) return;
    const Precision precision(640);
    const double a = real(piece.first), b = real(piece.last);
    const auto rest = [&](double x, double c0) {
      return pointwise_.enclose(x, static_cast<Order>(order), 640) - Interval(c1) * x - c0;
    };
    const double c0 = settled ? 0 : nearest(rest(a, 0));
    if (!settled && (c0 == 0 || !ordinary(c0))) return;
    const Interval from = rest(a, c0), to = rest(b, c0);
    const int sign = sign_of(from);
    if (sign == 0 || sign_of(to) != sign) return;
    const double middle = real(piece.first + (piece.last - piece.first) / 2);
    if (settled ? sign_of(rest(middle, c0)) != sign : sign_of(over[k + 1] - c1) == 0) return;
    // c0 + c1 x and all midpoints are multiples of 2^unit.
    const int unit = std::min({-150, settled ? 0 : last_bit(c0), last_bit(c1) + std::ilogb(a) - 23});
    if (!small(from, std::ldexp(0.5L, unit)) || !small(to, std::ldexp(0.5L, unit))) return;
    Model& m = piece.models[order];
    m.kind = Model::Kind::polynomial;
    m.margin = 0;
    m.lead = c0, m.tail[0] = c1;
    m.lead_low = sign * std::ldexp(0.5, unit);
  }
  /// Ends count: one at zero that is not reached leaves the sign to the other.
  static int sign_of(const Interval& v) {
    const int lower = mpfr_sgn(v.lower()), upper = mpfr_sgn(v.upper());
    if (lower > 0 || (lower == 0 && v.lower_open())) return 1;
    if (upper < 0 || (upper == 0 && v.upper_open())) return -1;
    return 0;
  }
  static int last_bit(double c) {
    int exponent;
    const auto digits = static_cast<std::int64_t>(std::ldexp(std::frexp(std::abs(c), &exponent), 53));
    return exponent - 53 + std::countr_zero(static_cast<std::uint64_t>(digits));
  }

  void add_constant(Piece& piece, const Series& over, int order, bool at_zero) const {
    const Interval& v = over[static_cast<std::size_t>(order)];
    if (v.zero()) {
      piece.models[order] = constant(pointwise_.round(inside(piece), static_cast<Order>(order)));
      return;
    }
    const auto value = rounded(v, {});
    // Where numbers on the way exceed even MPFR's range, what has vanished in a tail remains so.
    const bool tail = !at_zero && (!v.bounded() || (far(piece) && !value)) &&
                      pointwise_.settles(input(piece.first), static_cast<Order>(order), v.bounded());
    if (tail || (!value && magnitude(v) < kUnderflow)) {
      add_settled(piece, order, tail);
      return;
    }
    if (at_zero && v.contains_zero()) return;
    if (value) piece.models[order] = constant(static_cast<float>(*value));
  }

  // All of the piece underflows. No enclosure tells its sign (it may reach zero at an end, or be too wide), so look at
  // three inputs: a function that has underflowed keeps its sign until it comes back.
  // So does one that has settled on another number where MPFR's exponents end.
  bool add_settled(Piece& piece, int order, bool beyond) const {
    const auto sample = [&](std::uint32_t bits) { return pointwise_.round(input(bits), static_cast<Order>(order)); };
    const float first = sample(piece.first), middle = sample(piece.first + (piece.last - piece.first) / 2);
    if ((first != 0 && !beyond) || !same(first, middle) || !same(first, sample(piece.last))) return false;
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
          good = add_settled(piece, order, false) && good;
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
    // A lead of few digits makes many ties, which the next term tips.
    if (exact && std::ilogb(lead) - last_bit(m.lead) < 26) m.margin = 0;
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

std::vector<Piece> make_pieces(const Pointwise& pointwise, bool negative, std::uint32_t last) {
  return Builder(pointwise, negative).build(last);
}

}  // namespace actfun::exact
