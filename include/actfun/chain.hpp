// SPDX-License-Identifier: Apache-2.0
/// @file
/// actfun: chains of stages that read memory once and write it once. The C++20 interface.
///
///     actfun::Chain chain = actfun::Chain().bias(b).then(actfun::gelu).dropout(0.1).add(r);
///     chain.run(actfun::Array(x, {rows, columns}), y, {.seed = 7});
///     chain.backward(actfun::Array(x, {rows, columns}), dy, dx, {db, dr}, {.seed = 7});
///     puts(chain.formula().c_str());  // dropout(gelu(x + a), 0.1) + b
///
/// What is computed, and how it is rounded, actfun/chain.h and docs/chain.md tell. Throws actfun::Error on bad
/// arguments.
#pragma once

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <string>
#include <type_traits>
#include <vector>

#include "actfun/array.hpp"
#include "actfun/chain.h"

namespace actfun {

namespace detail {

/// An Array as it is, a range as one row. Bytes are results of quantize, whose format the chain knows.
template <class T>
actfun_array chain_array(T&& x) {
  if constexpr (std::is_convertible_v<T&&, actfun_array>) {
    return x;
  } else {
    using Element = std::remove_cv_t<std::ranges::range_value_t<T>>;
    if constexpr (std::is_same_v<Element, std::int8_t> || std::is_same_v<Element, std::uint8_t>) {
      return {std::ranges::data(x), ACTFUN_F8E5M2, 1, {std::ranges::size(x)}, {1}};
    } else {
      return Array(x, {std::ranges::size(x)});
    }
  }
}

}  // namespace detail

/// What a run is given beside its arrays.
struct ChainRun {
  std::uint64_t seed = 0;        ///< of dropout
  std::uint8_t* kept = nullptr;  ///< unless null, receives a bit an element: see actfun_chain_run
};

/// Where the gradient of an operand goes; {} leaves it out.
class ChainGradient {
 public:
  ChainGradient() = default;
  template <class T>
  requires(!std::is_same_v<std::remove_cvref_t<T>, ChainGradient>) ChainGradient(T&& to)
      : array_(detail::chain_array(to)) {}  // NOLINT: an array is a gradient's place
  const actfun_array& array() const { return array_; }

 private:
  actfun_array array_{};
};

/// Stages that are built once and run many times. Arrays are views: what they show must outlive the chain.
class Chain {
 public:
  Chain() : Chain(std::string()) {}
  /// By text: "bias(B) | gelu | add(R)"; `bind` says what the names stand for.
  explicit Chain(const std::string& text) {
    actfun_chain* made = nullptr;
    char message[kMessage];
    check(actfun_chain_create(text.c_str(), &made, message, sizeof message), message);
    chain_.reset(made);
    arrays_.resize(actfun_chain_operands(made));
  }
  Chain(const Chain& other) : arrays_(other.arrays_) {
    actfun_chain* made = nullptr;
    detail::check(actfun_chain_copy(other.chain_.get(), &made), "Chain");
    chain_.reset(made);
  }
  Chain(Chain&&) = default;
  Chain& operator=(Chain other) {
    chain_.swap(other.chain_), arrays_.swap(other.arrays_);
    return *this;
  }

  /// gelu, Elu{.alpha = 0.5}, function("elu:alpha=0.5").
  template <class Function>
  requires requires(const Function& f) { f.handle(); }
  Chain& then(const Function& f) {
    const actfun_function handle = f.handle();
    detail::check(actfun_chain_then(chain_.get(), &handle), "Chain::then", handle);
    return *this;
  }
  /// One number, or one for each channel along an axis of x.
  template <std::ranges::contiguous_range Range>
  Chain& bias(Range&& b, int axis = -1) {
    return append("bias(", name() + ", axis=" + std::to_string(axis), b);
  }
  Chain& bias(double c) { return append("bias(" + text_of(c)); }
  template <class T>
  Chain& add(T&& r) {
    return append("add(", name(), r);
  }
  template <class T>
  Chain& multiply(T&& m) {
    return append("multiply(", name(), m);
  }
  Chain& scale(double c) { return append("scale(" + text_of(c)); }
  Chain& clamp(double low, double high) { return append("clamp(" + text_of(low) + ", " + text_of(high)); }
  Chain& dropout(double p) { return append("dropout(" + text_of(p)); }
  /// Results are std::int8_t or std::uint8_t.
  template <class T>
  requires(std::is_same_v<T, std::int8_t> || std::is_same_v<T, std::uint8_t>) Chain& quantize(Quantization to) {
    return append("quantize(" + text_of(static_cast<double>(to.scale)) + ", " + std::to_string(to.zero_point) +
                  (std::is_same_v<T, std::int8_t> ? ", int8" : ", uint8"));
  }

  /// What a name of the text stands for.
  template <class T>
  Chain& bind(const std::string& name, T&& array) {
    bool found = false;
    for (std::size_t i = 0; i < arrays_.size(); ++i)
      if (name == actfun_chain_operand(chain_.get(), i)) arrays_[i] = detail::chain_array(array), found = true;
    if (!found) throw Error("actfun: Chain: no stage takes '" + name + "'", ACTFUN_BAD_PARAMETER);
    return *this;
  }
  Chain& set(Tier tier, std::uint32_t threads = 0) {
    detail::check(actfun_chain_set(chain_.get(), static_cast<actfun_tier>(tier), threads), "Chain::set");
    return *this;
  }

  std::string text() const { return actfun_chain_text(chain_.get()); }
  std::string formula() const { return actfun_chain_formula(chain_.get()); }

  /// x and y: Arrays, or ranges as one row.
  template <class X, class Y>
  void run(X&& x, Y&& y, const ChainRun& how = {}) const {
    const actfun_array from = detail::chain_array(x), to = detail::chain_array(y);
    char message[kMessage];
    check(actfun_chain_run(chain_.get(), &from, arrays_.data(), &to, how.seed, how.kept, message, sizeof message),
          message);
  }
  /// `gradients` in the order in which the stages take their arrays.
  template <class X, class G, class D>
  void backward(X&& x, G&& dy, D&& dx, std::initializer_list<ChainGradient> gradients = {},
                const ChainRun& how = {}) const {
    const actfun_array from = detail::chain_array(x), upstream = detail::chain_array(dy), to = detail::chain_array(dx);
    std::vector<actfun_array> wanted;
    for (const ChainGradient& each : gradients) wanted.push_back(each.array());
    if (!wanted.empty()) detail::check_lengths(arrays_.size(), wanted.size(), "Chain::backward");
    char message[kMessage];
    check(actfun_chain_backward(chain_.get(), &from, arrays_.data(), &upstream, how.seed, &to,
                                wanted.empty() ? nullptr : wanted.data(), message, sizeof message),
          message);
  }

 private:
  static constexpr std::size_t kMessage = 1024;

  static void check(actfun_status status, const char* message) {
    if (status != ACTFUN_OK) throw Error(std::string("actfun: Chain: ") + message, status);
  }
  /// A number so that it is read back as the same.
  static std::string text_of(double c) {
    char digits[32];
    return {digits, std::to_chars(digits, digits + sizeof digits, c).ptr};
  }
  /// Arrays that are given and not named are a, b, c, ...
  std::string name() const { return std::string(1, static_cast<char>('a' + arrays_.size() % 26)); }

  Chain& append(std::string stage) {
    char message[kMessage];
    stage += ")";
    check(actfun_chain_append(chain_.get(), stage.c_str(), message, sizeof message), message);
    return *this;
  }
  template <class T>
  Chain& append(const std::string& word, const std::string& arguments, T&& array) {
    append(word + arguments);
    arrays_.push_back(detail::chain_array(array));
    return *this;
  }

  struct Destroy {
    void operator()(actfun_chain* chain) const { actfun_chain_destroy(chain); }
  };
  std::unique_ptr<actfun_chain, Destroy> chain_;
  std::vector<actfun_array> arrays_;
};

}  // namespace actfun
