// SPDX-License-Identifier: Apache-2.0
/// @file
/// actfun: the health check inside a training loop. The C++20 interface.
///
///     actfun::Health check(actfun::relu, channels);
///     for (...) check.add(z);                          // pre-activations [batch, channels]
///     if (check.all().dead > channels / 10) ...
///
/// What is counted, and how exactly, actfun/health.h and docs/health.md tell. Throws actfun::Error on bad arguments.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "actfun/actfun.hpp"
#include "actfun/health.h"

namespace actfun {

using HealthSummary = actfun_health_summary;

/// How a check looks at its elements.
struct HealthOptions {
  double tolerance = 0.01;            ///< an element is saturated where |f'| is below
  bool exact = false;                 ///< f and f' of every element from the kernels
  actfun_format format = ACTFUN_F32;  ///< of the elements
};

/// The statistics of one layer. Moves, does not copy; its memory depends on the number of channels alone.
class Health {
 public:
  using Options = HealthOptions;

  /// For elements that are given to a function: gelu, Elu{.alpha = 0.5}, function("elu:alpha=0.5").
  template <class Function>
  requires requires(const Function& f) { f.handle(); }
  Health(const Function& f, std::size_t channels, Options options = {}) : channels_(channels) {
    const actfun_function handle = f.handle();
    make(&handle, options);
  }
  /// For activations: results of whichever function.
  explicit Health(std::size_t channels, Options options = {}) : channels_(channels) { make(nullptr, options); }

  std::size_t channels() const { return channels_; }

  /// Adds a batch of shape [batch, channels].
  template <class T>
  void add(std::span<const T> x) {
    add(x, {x.size() / channels_, channels_, 1});
  }
  /// Adds a batch whose channels are the middle axis of `shape`: {n, channels, height * width} of images.
  template <class T>
  void add(std::span<const T> x, Shape shape) {
    detail::check_lengths(x.size(), shape.size(), "Health::add");
    if (detail::format_of<T>() != format_)
      throw Error("actfun: Health::add: the elements are not of the check's format", ACTFUN_BAD_FORMAT);
    detail::check(actfun_health_add(check_.get(), x.data(), shape.outer, shape.length, shape.inner), "Health::add");
  }
  /// Vectors and arrays.
  template <std::ranges::contiguous_range Range, class... Shapes>
  void add(const Range& x, Shapes... shape) {
    add(std::span<const std::ranges::range_value_t<Range>>(x), shape...);
  }

  /// Adds what another check knows: exact, in any order.
  void merge(const Health& other) {
    detail::check(actfun_health_merge(check_.get(), other.check_.get()), "Health::merge");
  }

  HealthSummary channel(std::size_t c) const {
    HealthSummary summary;
    detail::check(actfun_health_channel(check_.get(), c, &summary), "Health::channel");
    return summary;
  }
  /// All channels together; `dead` says how many of them are.
  HealthSummary all() const {
    HealthSummary summary;
    detail::check(actfun_health_all(check_.get(), &summary), "Health::all");
    return summary;
  }

 private:
  void make(const actfun_function* f, const Options& options) {
    actfun_health* made = nullptr;
    detail::check(actfun_health_new(f, options.format, channels_, options.tolerance, options.exact, &made), "Health");
    check_.reset(made);
    format_ = options.format;
  }

  struct Free {
    void operator()(actfun_health* check) const { actfun_health_free(check); }
  };
  std::unique_ptr<actfun_health, Free> check_;
  std::size_t channels_;
  actfun_format format_ = ACTFUN_F32;
};

}  // namespace actfun
