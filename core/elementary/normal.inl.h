// SPDX-License-Identifier: Apache-2.0
// The standard normal distribution: density and cumulative function, tails to full relative accuracy. Relative error
// below 2^-43 on Real for x >= -15, and 2^-90 on DoubleDouble for x >= -40 (exp's own range ends at -37.5). Below,
// where floats and doubles have underflowed, the results fall on like the density, or stay where exp is cut.

template <class R>
HWY_INLINE R normal_density(R x) {
  return R::constant(0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56) * exp_decay(-0.5 * (x * x));  // 1 / sqrt(2 pi)
}

/// The scaled upper tail exp(t^2/2) (1 - Phi(t)) for t >= 0 is p(u), u = (t - 5) / (t + 5) (the map of
/// M. M. Shepherd and J. G. Laframboise, Math. Comp. 36, 1981). Coefficients: scripts/fit/normal.sollya, 2^-46.
template <int K>
HWY_INLINE Reals<K> normal_tail(Reals<K> t) {
  const Reals<K> u = fnma(reciprocal(at_most(t, 15.0) + 5.0), 10.0, 1.0);
  // Even and odd powers apart: two short chains instead of one long.
  const Reals<K> w = u * u;
  Reals<K> even = fma(w, 0x1.514e7c5b8be02p-24, -0x1.85f1005e1590dp-21);
  Reals<K> odd = fma(w, 0x1.66b1de980adf3p-23, -0x1.4a4075f270feep-20);
  even = fma(even, w, 0x1.c0e661411ba2p-18);
  odd = fma(odd, w, 0x1.0053788fd8488p-20);
  even = fma(even, w, -0x1.fb0a0931a8a55p-15);
  odd = fma(odd, w, 0x1.1999062409541p-13);
  even = fma(even, w, 0x1.cc7011c33f15cp-13);
  odd = fma(odd, w, -0x1.37ccc2fc0622ap-9);
  even = fma(even, w, 0x1.26a1148b18181p-7);
  odd = fma(odd, w, -0x1.7f9d043f75aaep-6);
  even = fma(even, w, 0x1.8807f2a24276cp-5);
  odd = fma(odd, w, -0x1.4b4ce479e698cp-4);
  even = fma(even, w, 0x1.db6af87226e51p-4);
  odd = fma(odd, w, -0x1.25cd1321c8dc7p-3);
  even = fma(even, w, 0x1.3b0fbcb4c7812p-4);
  return fma(odd, u, even);
}

/// (Phi(t) - 1/2) / t as a function of w = t^2, |t| <= 1. Coefficients: scripts/fit/normal.sollya, 2^-49.
template <int K>
HWY_INLINE Reals<K> normal_center(Reals<K> w) {
  Reals<K> p = fma(w, 0x1.f41ae6ab85629p-30, -0x1.5b145674c518ep-25);
  p = fma(p, w, 0x1.6519bdca1e852p-21);
  p = fma(p, w, -0x1.3ce4ddec4d23ap-17);
  p = fma(p, w, 0x1.e42adfd412c94p-14);
  p = fma(p, w, -0x1.37403eddc63c2p-10);
  p = fma(p, w, 0x1.46d04295ac7d6p-7);
  p = fma(p, w, -0x1.1058377e2ad36p-4);
  return fma(p, w, 0x1.9884533d43643p-2);
}

// The same on DoubleDouble. Coefficients: scripts/fit/normal_tail.py; the tail's, of (t + 5) times it, for 1 <= t
// <= 40.
inline constexpr double kNormalCenter[][2] = {
    {0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56},   {-0x1.1058377e2cee0p-4, -0x1.782a1df62ac9dp-58},
    {0x1.46d04297691dap-7, 0x1.4e611fa19ac46p-64},    {-0x1.37403f6ba1100p-10, -0x1.ade6fdab9e9d8p-64},
    {0x1.e42b0d5216fc8p-14, -0x1.e2f87906844f0p-69},  {-0x1.3ce8fac15e2c4p-17, 0x1.4e5c8bd0ad343p-73},
    {0x1.658a2177b2739p-21, -0x1.1033e5f1fe7c8p-77},  {-0x1.62226a4aabe03p-25, 0x1.f965486e17a1ap-80},
    {0x1.3878b823c4d4ep-29, -0x1.1b34368aec4edp-83},  {-0x1.f107e1883d947p-34, -0x1.dc5b6472f54a1p-89},
    {0x1.67c1700ad73d2p-38, 0x1.1ee6782842839p-95},   {-0x1.ddc738b863ab4p-43, 0x1.c731f6762cb2fp-98},
    {0x1.25098c9a0d57fp-47, 0x1.524602ecd3928p-101},  {-0x1.4df215a78901cp-52, -0x1.a481616b3e6b3p-106},
    {0x1.6354d1ae7b14dp-57, -0x1.c1f28ec4cb75bp-113}, {-0x1.62913220111d0p-62, -0x1.3691645e0c017p-116},
    {0x1.4d14084cab3a5p-67, -0x1.67e406906153fp-121}, {-0x1.27926c0b3e062p-72, 0x1.4776d7311b846p-128},
    {0x1.f10ed5fbd7c6ap-78, 0x1.f392d947b7a95p-133},  {-0x1.8d1c171747da7p-83, -0x1.ccbdf13952b18p-137},
    {0x1.2e30d96063a28p-88, 0x1.5e3e48432edabp-147},  {-0x1.b710425ab7e2cp-94, 0x1.5885de61806a9p-151},
    {0x1.312080dc43ccap-99, 0x1.ff19df91f82b9p-154},
};
inline constexpr double kNormalTail[][2] = {
    {0x1.89d3abe1f95aep-1, -0x1.0450c597ea934p-56},    {-0x1.54ad03f27ca18p-1, -0x1.1313ae0336421p-58},
    {0x1.fb31653876f88p-2, 0x1.5ea28cb14fdf4p-58},     {-0x1.410ed5f875943p-2, -0x1.dccb477473c81p-56},
    {0x1.51f6329f01c12p-3, -0x1.e783d10706f94p-58},    {-0x1.1b1c254ca4533p-4, 0x1.1e1e554771f27p-58},
    {0x1.54b4d4f485123p-6, -0x1.ba47ea737411bp-60},    {-0x1.88590e9787ca4p-9, 0x1.1218d3e14d895p-65},
    {-0x1.a250376e571dfp-11, 0x1.9c88a30bd81f1p-65},   {0x1.1daf1abea016ep-11, 0x1.814e2504e442bp-66},
    {-0x1.f2149853c82dcp-15, -0x1.6ae9b9552b917p-73},  {-0x1.a1700665edeeep-15, 0x1.f10a589e8a889p-69},
    {0x1.17df514cfc1e9p-16, -0x1.afe337b0fd504p-74},   {0x1.0b1351da07872p-18, 0x1.7fc3efa6cdcdcp-72},
    {-0x1.73e80de078e65p-19, -0x1.296140c257dabp-75},  {-0x1.670ceff7fbb29p-22, -0x1.b02f7dc016da2p-76},
    {0x1.d508b07b181fdp-22, -0x1.309739491e050p-76},   {0x1.56caca93aa05fp-25, -0x1.8406e5d7d3ffap-79},
    {-0x1.316133b2d5731p-24, 0x1.386b20b060e2cp-80},   {-0x1.2050a32bc14a7p-27, 0x1.042d52f4fc641p-82},
    {0x1.9a0fe4377a69bp-27, -0x1.5e198a463d3d3p-82},   {0x1.42ab3cceaeafep-29, -0x1.917940be12c94p-84},
    {-0x1.0f1664f7f4be2p-29, 0x1.36e120dfa0899p-83},   {-0x1.6f5054e24bd37p-31, -0x1.4ac1de251d659p-85},
    {0x1.3fa015782ab4cp-32, -0x1.535bac6641a99p-89},   {0x1.84e182f69739dp-33, 0x1.0ea0414f9db2dp-87},
    {-0x1.ede1da39444a7p-36, 0x1.5a944aa968792p-90},   {-0x1.6fc5dee5c376ap-35, 0x1.aa5bb42bf9133p-90},
    {-0x1.8cdae210e168cp-39, 0x1.fe077c92fbc6ep-93},   {0x1.24aac7cacdf0cp-37, 0x1.f32dc6f874620p-91},
    {0x1.718f941288854p-39, 0x1.2b98522b5b216p-93},    {-0x1.493880025ffc2p-40, 0x1.b37e78ef7435fp-94},
    {-0x1.01678c7cf97f8p-40, 0x1.a1ef4d0221b2cp-96},   {0x1.ce6c89bdce15fp-48, 0x1.cdf689b19f916p-105},
    {0x1.ef50195156c46p-43, 0x1.5585ce139faf0p-97},    {0x1.28b8af9020778p-44, -0x1.2cef0c6a6608bp-98},
    {-0x1.4678de4d9d244p-45, -0x1.540ef726cc87dp-99},  {-0x1.d59d5cb01a650p-46, 0x1.7c779de98932dp-101},
    {0x1.c82dec09e3748p-49, -0x1.8d666360dc454p-106},  {0x1.a5f99c7672ccap-48, 0x1.d5ec4ee26fed7p-106},
    {-0x1.48eaebeafef8ap-62, -0x1.8b06e1581a65cp-117}, {-0x1.7e313da7eed81p-51, -0x1.3314073cfb11ep-105},
};

template <std::size_t n>
ACTFUN_SHARED DoubleDouble polynomial(const double (&coefficients)[n][2], DoubleDouble x) {
  DoubleDouble p = 0.0;
  for (std::size_t i = n; i-- > 0;) p = p * x + DoubleDouble::constant(coefficients[i][0], coefficients[i][1]);
  return p;
}
ACTFUN_SHARED DoubleDouble normal_tail(DoubleDouble t) {
  const DoubleDouble r = reciprocal(at_most(at_least(t, 1.0), 40.0) + DoubleDouble(5.0));
  return r * polynomial(kNormalTail, DoubleDouble(1.0) - DoubleDouble(10.0) * r);
}
ACTFUN_SHARED DoubleDouble normal_center(DoubleDouble w) { return polynomial(kNormalCenter, at_most(w, 1.0)); }

/// Phi(x) = 1 - Phi(-x).
template <int K>
HWY_INLINE Reals<K> normal_cumulative(Reals<K> x) {
  const Reals<K> tail = exp_decay(-0.5 * (x * x)) * normal_tail(abs(x));
  return select(x < 0.0, tail, 1.0 - tail);
}
/// Near 0 as 1/2 + ..., so that a tie that a tiny x tips stays decided.
ACTFUN_SHARED DoubleDouble normal_cumulative(DoubleDouble x) {
  const DoubleDouble t = abs(x), tail = exp_decay(-0.5 * (x * x)) * normal_tail(t);
  return select(t < 1.0, DoubleDouble(0.5) + x * normal_center(x * x), select(x < 0.0, tail, DoubleDouble(1.0) - tail));
}
