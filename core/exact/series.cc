// SPDX-License-Identifier: Apache-2.0
#include "core/exact/series.h"

#include <algorithm>
#include <array>

namespace actfun::exact {
namespace {

thread_local std::size_t truncation = 2;

/// n over k, from Pascal's triangle.
unsigned long binomial(std::size_t n, std::size_t k) {
  constexpr std::size_t rows = 32;
  static const auto triangle = [] {
    std::array<std::array<unsigned long, rows>, rows> t{};
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j <= i; ++j) t[i][j] = j == 0 || j == i ? 1 : t[i - 1][j - 1] + t[i - 1][j];
    return t;
  }();
  return triangle[n][k];
}

}  // namespace

Series::Order::Order(std::size_t order) : outer_(truncation) { truncation = order; }
Series::Order::~Order() { truncation = outer_; }

Series Series::variable(Interval center) {
  Series s(std::move(center));
  if (truncation > 0) s.derivatives_.emplace_back(1);
  return s;
}

const Interval& Series::operator[](std::size_t k) const {
  thread_local const Interval zero(0);
  return k < size() ? derivatives_[k] : zero;
}

void Series::trim() {
  while (size() > 1 && derivatives_.back().zero()) derivatives_.pop_back();
}

Series operator-(const Series& a) {
  Series r;
  for (const Interval& c : a.derivatives_) r.derivatives_.push_back(-c);
  return r;
}
Series operator+(const Series& a, const Series& b) {
  Series r;
  for (std::size_t k = 0; k < std::max(a.size(), b.size()); ++k) r.derivatives_.push_back(a[k] + b[k]);
  r.trim();
  return r;
}
Series operator-(const Series& a, const Series& b) {
  Series r;
  for (std::size_t k = 0; k < std::max(a.size(), b.size()); ++k) r.derivatives_.push_back(a[k] - b[k]);
  r.trim();
  return r;
}
Series operator*(const Series& a, const Series& b) {
  Series r;
  for (std::size_t k = 0; k <= std::min(truncation, a.size() + b.size() - 2); ++k) {
    Interval sum(0);
    for (std::size_t j = k < b.size() ? 0 : k - b.size() + 1; j <= k && j < a.size(); ++j)
      sum += binomial(k, j) * (a[j] * b[k - j]);
    r.derivatives_.push_back(std::move(sum));
  }
  r.trim();
  return r;
}
// q b = a, k times differentiated: q_k b_0 = a_k - sum of (k over j) q_(k-j) b_j.
Series operator/(const Series& a, const Series& b) {
  Series q;
  const std::size_t end = b.size() == 1 ? a.size() : truncation + 1;
  for (std::size_t k = 0; k < end; ++k) {
    Interval sum = a[k];
    for (std::size_t j = 1; j <= k && j < b.size(); ++j) sum -= binomial(k, j) * (q[k - j] * b[j]);
    q.derivatives_.push_back(sum / b[0]);
  }
  q.trim();
  return q;
}

Series Series::derivative(const Series& z) {
  Series d;
  d.derivatives_.assign(z.derivatives_.begin() + 1, z.derivatives_.end());
  if (d.derivatives_.empty()) d.derivatives_.emplace_back(0);
  return d;
}
Series Series::integral(Interval constant, const Series& derivative) {
  Series r(std::move(constant));
  for (std::size_t k = 1; k <= std::min(truncation, derivative.size()); ++k)
    r.derivatives_.push_back(derivative[k - 1]);
  r.trim();
  return r;
}

Series Series::divided_by_variable() const {
  Series r;
  for (std::size_t k = 1; k < size(); ++k) r.derivatives_.push_back(derivatives_[k] / static_cast<int>(k));
  if (r.derivatives_.empty()) r.derivatives_.emplace_back(0);
  return r;
}

// s^2 = z: 2 s_0 s_k = z_k - sum of the inner (k over j) s_j s_(k-j).
Series sqrt(const Series& z) {
  Series s(sqrt(z[0]));
  if (z.size() == 1) return s;
  const Interval twice = 2 * s[0];
  for (std::size_t k = 1; k <= truncation; ++k) {
    Interval sum = z[k];
    for (std::size_t j = 1; j < k; ++j) sum -= binomial(k, j) * (s[j] * s[k - j]);
    s.derivatives_.push_back(sum / twice);
  }
  s.trim();
  return s;
}

// e' = e z'.
Series exp(const Series& z) {
  Series e(exp(z[0]));
  if (z.size() == 1) return e;
  const Series slope = Series::derivative(z);
  for (std::size_t k = 1; k <= truncation; ++k) {
    Interval sum(0);
    for (std::size_t j = 0; j < k && j < slope.size(); ++j) sum += binomial(k - 1, j) * (slope[j] * e[k - 1 - j]);
    e.derivatives_.push_back(std::move(sum));
  }
  e.trim();
  return e;
}
Series expm1(const Series& z) {
  Series e = exp(z);
  e.derivatives_[0] = expm1(z[0]);
  return e;
}
Series log(const Series& z) { return Series::integral(log(z[0]), Series::derivative(z) / z); }
Series log1p(const Series& z) { return Series::integral(log1p(z[0]), Series::derivative(z) / (1 + z)); }

// erf' = 2/sqrt(pi) exp(-z^2) z'.
Series erf(const Series& z) {
  return Series::integral(erf(z[0]), 2 / sqrt(Series::pi()) * exp(-(z * z)) * Series::derivative(z));
}
Series erfc(const Series& z) {
  return Series::integral(erfc(z[0]), -2 / sqrt(Series::pi()) * exp(-(z * z)) * Series::derivative(z));
}

/// sigmoid(z) sigmoid(-z) and, on the side, sigmoid(z): s' = s t z', t' = -s' with t = sigmoid(-z).
Series Series::logistic_slope(const Series& z, Series* logistic) {
  Series s(sigmoid(z[0])), t(sigmoid(-z[0])), product(s[0] * t[0]);
  const Series slope = derivative(z);
  for (std::size_t k = 1; k <= truncation && z.size() > 1; ++k) {
    Interval sum(0);
    for (std::size_t j = 0; j < k && j < slope.size(); ++j) sum += binomial(k - 1, j) * (slope[j] * product[k - 1 - j]);
    s.derivatives_.push_back(std::move(sum));
    t.derivatives_.push_back(-s[k]);
    Interval p(0);
    for (std::size_t j = 0; j <= k; ++j) p += binomial(k, j) * (s[j] * t[k - j]);
    product.derivatives_.push_back(std::move(p));
  }
  s.trim();
  product.trim();
  if (logistic) *logistic = std::move(s);
  return product;
}
Series sigmoid(const Series& z) {
  Series s;
  Series::logistic_slope(z, &s);
  return s;
}
Series softplus(const Series& z) { return Series::integral(softplus(z[0]), sigmoid(z) * Series::derivative(z)); }
Series tanh(const Series& z) {
  return Series::integral(tanh(z[0]), 4 * Series::logistic_slope(2 * z, nullptr) * Series::derivative(z));
}

// s' = c z', c' = -s z'.
Series sin(const Series& z) {
  Series s(sin(z[0])), c(cos(z[0]));
  if (z.size() == 1) return s;
  const Series slope = Series::derivative(z);
  for (std::size_t k = 1; k <= truncation; ++k) {
    Interval up(0), down(0);
    for (std::size_t j = 0; j < k && j < slope.size(); ++j) {
      up += binomial(k - 1, j) * (slope[j] * c[k - 1 - j]);
      down -= binomial(k - 1, j) * (slope[j] * s[k - 1 - j]);
    }
    s.derivatives_.push_back(std::move(up));
    c.derivatives_.push_back(std::move(down));
  }
  s.trim();
  return s;
}
Series atan(const Series& z) { return Series::integral(atan(z[0]), Series::derivative(z) / (1 + z * z)); }

}  // namespace actfun::exact
