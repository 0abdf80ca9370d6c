// SPDX-License-Identifier: Apache-2.0
#include "api/expression.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <numbers>
#include <string>

namespace actfun {
namespace {

struct NotAnExpression {};

/// sum = term {+|- term}, term = factor {*|/ factor}, factor = [-] atom [^|** factor],
/// atom = number | inf | pi | SELU_ALPHA | SELU_LAMBDA | parameter | (sum) | |sum|.
class Parser {
 public:
  Parser(std::string_view text, const Call& call) : rest_(text), call_(call) {}

  long double all() {
    const long double value = sum();
    skip_space();
    if (!rest_.empty()) throw NotAnExpression();
    return value;
  }

 private:
  void skip_space() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }
  bool take(std::string_view token) {
    skip_space();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) throw NotAnExpression();
  }

  long double sum() {
    long double value = term();
    while (true) {
      if (take("+"))
        value += term();
      else if (take("-"))
        value -= term();
      else
        return value;
    }
  }
  long double term() {
    long double value = factor();
    while (true) {
      if (take("*"))
        value *= factor();
      else if (take("/"))
        value /= factor();
      else
        return value;
    }
  }
  long double factor() {
    if (take("-")) return -factor();
    const long double base = atom();
    return take("**") || take("^") ? std::pow(base, factor()) : base;
  }
  long double atom() {
    if (take("(")) return close(sum(), ")");
    if (take("|")) return std::fabs(close(sum(), "|"));
    long double value;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error == std::errc() && std::isalpha(static_cast<unsigned char>(rest_.front())) == 0) {
      rest_.remove_prefix(end - rest_.data());
      return value;
    }
    return name();
  }
  long double close(long double value, std::string_view token) {
    expect(token);
    return value;
  }
  long double name() {
    std::size_t length = 0;
    while (length < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[length])) || rest_[length] == '_'))
      ++length;
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    const auto& parameters = call_.info().parameters;
    for (std::size_t i = 0; i < parameters.size(); ++i)
      if (parameters[i].name == word) return parameter(i);
    if (word == "inf") return INFINITY;
    if (word == "pi") return std::numbers::pi_v<long double>;
    if (word == "SELU_ALPHA") return 1.673263242354377284817042991671652L;
    if (word == "SELU_LAMBDA") return 1.050700987355480493419334985294606L;
    return defined(word);
  }

  /// ", word = expression" in the function's formula.
  long double defined(std::string_view word) const {
    const std::string_view formula = call_.info().formula;
    const std::string beginning = ", " + std::string(word) + " = ";
    const std::size_t found = word.empty() ? formula.npos : formula.find(beginning);
    if (found == formula.npos) throw NotAnExpression();
    const std::string_view rest = formula.substr(found + beginning.size());
    return Parser(rest.substr(0, rest.find(", ")), call_).all();
  }

  long double parameter(std::size_t i) const {
    if (!call_.rational[i]) return call_.parameters[i];
    const std::string_view exact = call_.info().parameters[i].exact;  // "1/6"
    return Parser(exact, call_).all();
  }

  std::string_view rest_;
  const Call& call_;
};

}  // namespace

std::optional<long double> evaluate(std::string_view text, const Call& call) {
  try {
    return Parser(text, call).all();
  } catch (const NotAnExpression&) {
    return std::nullopt;
  }
}

bool holds(std::string_view condition, const Call& call) {
  if (condition.empty() || condition == "always") return !condition.empty();
  const std::size_t sign = condition.find_first_of("<>!=");
  const std::size_t end = condition.find(' ', sign);
  const auto left = evaluate(condition.substr(0, sign - 1), call), right = evaluate(condition.substr(end + 1), call);
  const std::string_view comparison = condition.substr(sign, end - sign);
  if (!left || !right) return false;
  if (comparison == "!=") return *left != *right;
  return comparison == ">" ? *left > *right : comparison == ">=" ? *left >= *right : *left <= *right;
}

}  // namespace actfun
