// SPDX-License-Identifier: Apache-2.0
// Sums of row.inl.h's kind: sixteen partial sums, element i in sum i mod 16, added as a tree. Then no result depends on
// how many numbers a vector holds. Included once per target, inside namespace actfun::HWY_NAMESPACE.

constexpr std::size_t kSums = 16;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinite = std::numeric_limits<double>::infinity();

/// n numbers of an array, the rest of `padded` 0: so that what is left of a row is a step like the others.
template <class T>
const T* pad(const T* from, std::size_t n, T (&padded)[kSums]) {
  std::memset(padded, 0, sizeof padded);
  std::memcpy(padded, from, n * sizeof(T));
  return padded;
}

HWY_INLINE double tree(double (&sums)[kSums]) {
  for (std::size_t width = kSums / 2; width > 0; width /= 2)
    for (std::size_t k = 0; k < width; ++k) sums[k] += sums[k + width];
  return sums[0];
}

/// The sum of term(a_i, b_i), where term(0, 0) = 0.
template <class A, class B, class Term>
HWY_INLINE double sum_over(const A* a, const B* b, std::size_t n, const Term& term) {
  const std::size_t lanes = hn::Lanes(Doubles());
  alignas(64) double sums[kSums] = {};
  alignas(64) A padded_a[kSums];
  alignas(64) B padded_b[kSums];
  for (std::size_t i = 0; i < n; i += kSums) {
    const bool whole = n - i >= kSums;
    const A* from_a = whole ? a + i : pad(a + i, n - i, padded_a);
    const B* from_b = whole ? b + i : pad(b + i, n - i, padded_b);
    for (std::size_t k = 0; k < kSums; k += lanes)
      store(load(sums + k) + term(load(from_a + k), load(from_b + k)), sums + k);
  }
  return tree(sums);
}

/// to_i = f(a_i, b_i)
template <class A, class B, class Function>
HWY_INLINE void map(const A* a, const B* b, A* to, std::size_t n, const Function& f) {
  const std::size_t lanes = hn::Lanes(Doubles());
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) store(f(load(a + i), load(b + i)), to + i);
  if (i == n) return;
  alignas(64) A padded_a[kSums];
  alignas(64) B padded_b[kSums];
  store(f(load(pad(a + i, n - i, padded_a)), load(pad(b + i, n - i, padded_b))), padded_a);
  std::memcpy(to + i, padded_a, (n - i) * sizeof(A));
}

template <class T>
void fill(T* to, std::size_t n, double value) {
  for (std::size_t i = 0; to && i < n; ++i) to[i] = static_cast<T>(value);
}
