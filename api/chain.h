// SPDX-License-Identifier: Apache-2.0
// Chains: stages one after another on tiles that stay in L1, so that memory is read once and written once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "actfun/array.h"
#include "api/registry.h"

namespace actfun {

/// A chain that cannot be, or arrays that do not fit it.
struct ChainError : std::invalid_argument {
  ChainError(const std::string& what, actfun_status code) : std::invalid_argument(what), status(code) {}
  actfun_status status;
};

/// Whether f(x) is x for x > 0, as the formula in the record says.
inline bool hands_on_positive_numbers(const Info& info) {
  return info.formula.starts_with("x if x > 0 ") || info.formula.starts_with("x if x >= 0 ");
}

struct Stage {
  enum class Kind {
    function,  ///< call(v)
    bias,      ///< v + operand along `axis`, or one number for all
    add,       ///< v + operand
    multiply,  ///< v operand
    shift,     ///< v + a
    scale,     ///< a v
    clamp,     ///< min(max(v, a), b)
    dropout,   ///< v / (1 - a), or 0 with probability a
    quantize,  ///< integers
  } kind;
  Call call{};
  double a = 0, b = 0;
  std::size_t operand = 0;
  int axis = -1;
  Quantization quantization{};

  bool has_operand() const { return kind == Kind::bias || kind == Kind::add || kind == Kind::multiply; }
};

/// What a chain is run on, besides its operands.
struct ChainRun {
  std::uint64_t seed = 0;  ///< of dropout
  std::uint8_t* kept =
      nullptr;  ///< unless null, receives bit i % 8 of kept[i / 8]: whether all dropouts kept element i
};

class Chain {
 public:
  /// Stages are checked as they are added: throws ChainError.
  void then(const Call& call);
  void bias(std::string name, int axis = -1);
  void add(std::string name);
  void multiply(std::string name);
  void shift(double c);
  void scale(double c);
  void clamp(double low, double high);
  void dropout(double p);
  void quantize(const Quantization& to);

  /// `bias(B) | gelu | add(R)`: see docs/chain.md. Throws ChainError, which tells the position.
  static Chain parse(std::string_view text);
  /// The same behind the stages that there are, which stay as they were if it throws.
  void append(std::string_view text);
  std::string text() const;
  /// gelu(x + B) + R
  std::string formula() const;

  std::span<const Stage> stages() const { return stages_; }
  /// The names of the arrays that the stages take, in their order.
  std::span<const std::string> operands() const { return operands_; }
  bool quantizes() const { return !stages_.empty() && stages_.back().kind == Stage::Kind::quantize; }

  Tier tier = Tier::exact;
  unsigned threads = 0;

  /// y = the chain of x. y may be x, or an operand of its shape. Throws ChainError, and has written nothing then.
  void run(const actfun_array& x, std::span<const actfun_array> operands, const actfun_array& y, const ChainRun& how,
           const Target& target) const;
  /// The gradient dy by y becomes those by x and by the operands; without data, they are left out. dx or an operand's
  /// may be x or dy. The gradient of a bias has its shape, and is summed up nearly without error.
  void backward(const actfun_array& x, std::span<const actfun_array> operands, const actfun_array& dy,
                const actfun_array& dx, std::span<const actfun_array> gradients, const ChainRun& how,
                const Target& target) const;

 private:
  Stage& stage(Stage::Kind kind);
  void take_operand(Stage& made, std::string name);
  void check_inputs(const actfun_array& x, std::span<const actfun_array> operands) const;

  std::vector<Stage> stages_;
  std::vector<std::string> operands_;
};

}  // namespace actfun
