// SPDX-License-Identifier: Apache-2.0
// core/philox.h for a vector of blocks, word k of each in the lower half of a lane of c[k]. Included once per target,
// inside namespace actfun::HWY_NAMESPACE.

struct PhiloxBlocks {
  DoubleBitsV c[4];
};

HWY_INLINE PhiloxBlocks philox(std::uint64_t seed, DoubleBitsV block, std::uint64_t stream) {
  const DoubleBits d;
  const auto all = [&](std::uint64_t x) HWY_ATTR { return hn::Set(d, x); };
  const auto low = [&](DoubleBitsV x) HWY_ATTR { return hn::And(x, hn::Set(d, 0xffffffff)); };
  const auto high = [&](DoubleBitsV x) HWY_ATTR { return hn::ShiftRight<32>(x); };
  const auto times = [&](DoubleBitsV x, std::uint64_t factor) HWY_ATTR {
#if HWY_TARGET == HWY_SCALAR
    return DoubleBitsV(x.raw * factor);
#else
    const hn::Repartition<std::uint32_t, DoubleBits> words;
    return hn::MulEven(hn::BitCast(words, x), hn::BitCast(words, hn::Set(d, factor)));
#endif
  };
  PhiloxBlocks b{{low(block), high(block), low(all(stream)), high(all(stream))}};
  auto key = low(all(seed)), other_key = high(all(seed));
  for (int round = 0; round < 10; ++round) {
    const auto p = times(b.c[0], 0xD2511F53), q = times(b.c[2], 0xCD9E8D57);
    b = {{hn::Xor(hn::Xor(high(q), b.c[1]), key), low(q), hn::Xor(hn::Xor(high(p), b.c[3]), other_key), low(p)}};
    key = low(hn::Add(key, all(0x9E3779B9))), other_key = low(hn::Add(other_key, all(0xBB67AE85)));
  }
  return b;
}
