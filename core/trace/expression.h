// SPDX-License-Identifier: Apache-2.0
// A number type that remembers how it was computed: `definition` run on Expressions returns the formula as a tree.
// The operators tidy as they build (x*x*x is x^3, 8943/200000 is one coefficient); they never change the value.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace actfun::trace {

enum class Relation { less, less_equal, greater, greater_equal };

class Expression;
struct Factor;
struct Case;

/// A comparison between expressions; `select` takes one.
struct Condition;

class Expression {
 public:
  enum class Kind { symbol, sum, product, call, cases };

  Expression(int value);     // NOLINT: an int is an expression, as in 2 * x
  Expression(double value);  // NOLINT
  static Expression symbol(std::string name);
  static Expression pi() { return symbol("pi"); }
  static Expression call(std::string function, const Expression& argument);

  Kind kind() const;
  /// symbol: the name, or the digits of a number that is no ratio of small integers. call: the function.
  const std::string& name() const;
  /// call: the argument. sum: the terms.
  const std::vector<Expression>& arguments() const;
  /// product: coefficient() times the factors to their powers. A number is a product without factors.
  const std::vector<Factor>& factors() const;
  std::pair<long long, long long> coefficient() const;
  /// cases: tried in their order; the last one's condition is not looked at.
  const std::vector<Case>& cases() const;

  bool operator==(const Expression& other) const;

  friend Expression operator-(const Expression& a);
  friend Expression operator+(const Expression& a, const Expression& b);
  friend Expression operator-(const Expression& a, const Expression& b);
  friend Expression operator*(const Expression& a, const Expression& b);
  friend Expression operator/(const Expression& a, const Expression& b);
  friend Condition operator<(const Expression& a, const Expression& b);
  friend Condition operator>(const Expression& a, const Expression& b);
  friend Expression select(const Condition& condition, const Expression& yes, const Expression& no);

 private:
  struct Node;
  explicit Expression(Node node);
  std::shared_ptr<const Node> node_;
};

struct Factor {
  Expression base;
  int power;
  bool operator==(const Factor&) const = default;
};

struct Condition {
  Expression left;
  Relation relation;
  Expression right;
  bool operator==(const Condition&) const = default;
};

struct Case {
  Condition when;
  Expression value;
  bool operator==(const Case&) const = default;
};

/// Where all branches are plain constants, only the condition leads here.
Expression select(const Condition& condition, const Expression& yes, const Expression& no);
inline Expression exp(const Expression& u) { return Expression::call("exp", u); }
inline Expression sqrt(const Expression& u) { return Expression::call("sqrt", u); }
inline Expression erf(const Expression& u) { return Expression::call("erf", u); }
inline Expression erfc(const Expression& u) { return Expression::call("erfc", u); }
inline Expression tanh(const Expression& u) { return Expression::call("tanh", u); }
inline Expression sigmoid(const Expression& u) { return Expression::call("sigmoid", u); }
inline Expression sin(const Expression& u) { return Expression::call("sin", u); }
inline Expression atan(const Expression& u) { return Expression::call("atan", u); }
inline Expression log(const Expression& u) { return Expression::call("log", u); }
// Only floating point needs these three by name; on paper they are what they abbreviate.
inline Expression expm1(const Expression& u) { return exp(u) - 1; }
inline Expression log1p(const Expression& u) { return log(1 + u); }
inline Expression softplus(const Expression& u) { return log(1 + exp(u)); }

std::string text(const Expression& e);    ///< Python operators, ^ for powers: the notation of the records
std::string latex(const Expression& e);   ///< without delimiters
std::string mathml(const Expression& e);  ///< one self-contained <math> element

}  // namespace actfun::trace
