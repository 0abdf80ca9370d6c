// SPDX-License-Identifier: Apache-2.0
#include "core/trace/expression.h"

#include <cmath>
#include <cstdio>
#include <numeric>

namespace actfun::trace {

struct Expression::Node {
  Kind kind = Kind::product;
  std::string name{};
  std::vector<Expression> arguments{};
  long long numerator = 1, denominator = 1;
  std::vector<Factor> factors{};
  std::vector<Case> cases{};
};

Expression::Expression(Node node) : node_(std::make_shared<const Node>(std::move(node))) {}
Expression::Expression(int value) : Expression(Node{.numerator = value}) {}
Expression::Expression(double value) : Expression(0) {
  const double integer = std::nearbyint(value);
  if (integer == value && std::abs(value) < 1e15) {
    *this = Expression(Node{.numerator = static_cast<long long>(value)});
  } else {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.17g", value);
    *this = symbol(digits);
  }
}
Expression Expression::symbol(std::string name) {
  return Expression(Node{.kind = Kind::symbol, .name = std::move(name)});
}
Expression Expression::call(std::string function, const Expression& argument) {
  return Expression(Node{.kind = Kind::call, .name = std::move(function), .arguments = {argument}});
}

Expression::Kind Expression::kind() const { return node_->kind; }
const std::string& Expression::name() const { return node_->name; }
const std::vector<Expression>& Expression::arguments() const { return node_->arguments; }
const std::vector<Factor>& Expression::factors() const { return node_->factors; }
std::pair<long long, long long> Expression::coefficient() const { return {node_->numerator, node_->denominator}; }
const std::vector<Case>& Expression::cases() const { return node_->cases; }

bool Expression::operator==(const Expression& other) const {
  const Node &a = *node_, &b = *other.node_;
  return node_ == other.node_ ||
         (a.kind == b.kind && a.name == b.name && a.arguments == b.arguments && a.numerator == b.numerator &&
          a.denominator == b.denominator && a.factors == b.factors && a.cases == b.cases);
}

Expression operator*(const Expression& a, const Expression& b) {
  using Node = Expression::Node;
  Node product{.kind = Expression::Kind::product};
  const auto multiply = [&product](const Expression& e) {
    if (e.kind() != Expression::Kind::product) {
      for (Factor& f : product.factors)
        if (f.base == e && f.power > 0) return void(++f.power);
      product.factors.push_back({e, 1});
      return;
    }
    const auto [n, d] = e.coefficient();
    const long long g = std::gcd(product.numerator * n, product.denominator * d);
    product.numerator = product.numerator * n / g;
    product.denominator = product.denominator * d / g;
    for (const Factor& factor : e.factors()) {
      bool merged = false;
      for (Factor& f : product.factors)
        if (f.base == factor.base && (f.power > 0) == (factor.power > 0)) f.power += factor.power, merged = true;
      if (!merged) product.factors.push_back(factor);
    }
  };
  multiply(a);
  multiply(b);
  if (product.numerator == 1 && product.denominator == 1 && product.factors.size() == 1 &&
      product.factors[0].power == 1)
    return product.factors[0].base;
  return Expression(std::move(product));
}

Expression operator/(const Expression& a, const Expression& b) {
  if (b.kind() != Expression::Kind::product) return a * Expression(Expression::Node{.factors = {{b, -1}}});
  auto [n, d] = b.coefficient();
  if (n < 0) n = -n, d = -d;
  Expression::Node inverse{.numerator = d, .denominator = n};
  for (const Factor& f : b.factors()) inverse.factors.push_back({f.base, -f.power});
  return a * Expression(std::move(inverse));
}

Expression operator-(const Expression& a) { return -1 * a; }

Expression operator+(const Expression& a, const Expression& b) {
  Expression::Node sum{.kind = Expression::Kind::sum};
  for (const Expression& e : {a, b}) {
    if (e.kind() == Expression::Kind::sum)
      sum.arguments.insert(sum.arguments.end(), e.arguments().begin(), e.arguments().end());
    else
      sum.arguments.push_back(e);
  }
  return Expression(std::move(sum));
}

Expression operator-(const Expression& a, const Expression& b) {
  if (b.kind() != Expression::Kind::sum) return a + -b;
  Expression difference = a;
  for (const Expression& term : b.arguments()) difference = difference + -term;
  return difference;
}

Condition operator<(const Expression& a, const Expression& b) { return {a, Relation::less, b}; }
Condition operator>(const Expression& a, const Expression& b) { return {a, Relation::greater, b}; }

namespace {
Condition operator!(const Condition& c) {
  const Relation opposite[] = {Relation::greater_equal, Relation::greater, Relation::less_equal, Relation::less};
  return {c.left, opposite[static_cast<int>(c.relation)], c.right};
}
}  // namespace

// A choice inside a choice becomes one list of cases; one in the first branch comes after its negated condition:
// select(x > 0, select(x < 6, x, 6), 0) reads "0 if x <= 0, x if x < 6, 6 otherwise".
Expression select(const Condition& condition, const Expression& yes, const Expression& no) {
  using Kind = Expression::Kind;
  const bool swap = yes.kind() == Kind::cases && no.kind() != Kind::cases;
  const Expression &first = swap ? no : yes, &rest = swap ? yes : no;
  Expression::Node node{.kind = Kind::cases};
  node.cases.push_back({swap ? !condition : condition, first});
  if (rest.kind() == Kind::cases)
    node.cases.insert(node.cases.end(), rest.cases().begin(), rest.cases().end());
  else
    node.cases.push_back({condition, rest});
  return Expression(std::move(node));
}

namespace {

/// How tightly a printed piece holds together; a looser piece inside a tighter place takes parentheses.
enum Binding { loose, sum, product, power, atom };

struct Printed {
  std::string text;
  Binding binding;
};

/// What differs between the notations. Everything is given printed.
class Style {
 public:
  virtual ~Style() = default;
  virtual std::string number(const std::string& digits) const = 0;
  virtual std::string symbol(const std::string& name) const = 0;
  virtual std::string parentheses(const std::string& inside) const = 0;
  virtual Printed call(const std::string& function, const Printed& argument) const = 0;
  virtual Printed raised(const Printed& base, int exponent) const = 0;
  virtual Printed fraction(const Printed& numerator, const Printed& denominator) const = 0;
  virtual std::string times() const = 0;
  virtual std::string plus() const = 0;
  virtual std::string minus() const = 0;   ///< between two terms
  virtual std::string negate() const = 0;  ///< before the first
  virtual std::string relation(Relation r) const = 0;
  virtual Printed cases(const std::vector<std::pair<std::string, std::string>>& lines) const = 0;  ///< value, when
  virtual std::string group(const std::string& row) const { return row; }

  std::string in(const Printed& p, Binding place) const { return p.binding < place ? parentheses(p.text) : p.text; }
};

/// n / d in decimal digits when that is exact, shorter to read, and the fraction is not a simple one; else empty.
std::string decimal(long long n, long long d) {
  if (d < 1000) return "";
  long long rest = d;
  int digits = 0;
  for (; rest % 10 == 0; rest /= 10) ++digits;
  for (const long long prime : {2, 5})
    for (; rest % prime == 0; rest /= prime) ++digits;
  if (rest != 1) return "";
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, static_cast<double>(n) / static_cast<double>(d));
  return buffer;
}

Printed print(const Expression& e, const Style& style, bool without_sign = false);

bool negative(const Expression& e) { return e.kind() == Expression::Kind::product && e.coefficient().first < 0; }

Printed print_product(const Expression& e, const Style& style, bool without_sign) {
  auto [n, d] = e.coefficient();
  const bool minus = n < 0 && !without_sign;
  if (n < 0) n = -n;
  const std::string coefficient = decimal(n, d);
  if (!coefficient.empty()) n = d = 1;

  const auto join = [&](const std::string& number, bool above) {
    std::vector<Printed> parts;
    if (!number.empty()) parts.push_back({number, atom});
    for (const Factor& f : e.factors()) {
      if ((f.power > 0) != above) continue;
      const Printed base = print(f.base, style);
      const int exponent = above ? f.power : -f.power;
      parts.push_back(exponent == 1 ? base : style.raised(base, exponent));
    }
    if (parts.empty()) return Printed{style.number("1"), atom};
    if (parts.size() == 1) return parts[0];
    Printed joined{style.in(parts[0], product), product};
    for (std::size_t i = 1; i < parts.size(); ++i) joined.text += style.times() + style.in(parts[i], product);
    return joined;
  };

  const auto number = [&](long long value) { return value == 1 ? "" : style.number(std::to_string(value)); };
  const Printed above = join(coefficient.empty() ? number(n) : style.number(coefficient), true);
  const Printed below = join(number(d), false);
  const bool whole = d == 1 && below.text == style.number("1");
  const Printed result = whole ? above : style.fraction(above, below);
  return minus ? Printed{style.group(style.negate() + style.in(result, product)), sum} : result;
}

Printed print(const Expression& e, const Style& style, bool without_sign) {
  switch (e.kind()) {
    case Expression::Kind::symbol:
      return {style.symbol(e.name()), atom};
    case Expression::Kind::call:
      return style.call(e.name(), print(e.arguments()[0], style));
    case Expression::Kind::product:
      return print_product(e, style, without_sign);
    case Expression::Kind::sum: {
      std::string row;
      for (const Expression& term : e.arguments()) {
        const bool first = row.empty(), minus = negative(term) && !first;
        if (!first) row += minus ? style.minus() : style.plus();
        row += style.in(print(term, style, minus), first ? sum : product);
      }
      return {style.group(row), sum};
    }
    case Expression::Kind::cases: {
      std::vector<std::pair<std::string, std::string>> lines;
      for (const Case& c : e.cases()) {
        const bool last = &c == &e.cases().back();
        const std::string when =
            style.group(style.in(print(c.when.left, style), sum) + style.relation(c.when.relation) +
                        style.in(print(c.when.right, style), sum));
        lines.emplace_back(style.in(print(c.value, style), sum), last ? "" : when);
      }
      return style.cases(lines);
    }
  }
  return {};
}

class Text final : public Style {
  std::string number(const std::string& digits) const override { return digits; }
  std::string symbol(const std::string& name) const override { return name; }
  std::string parentheses(const std::string& inside) const override { return "(" + inside + ")"; }
  Printed call(const std::string& function, const Printed& argument) const override {
    return {function + "(" + argument.text + ")", atom};
  }
  Printed raised(const Printed& base, int exponent) const override {
    return {in(base, atom) + "^" + std::to_string(exponent), power};
  }
  Printed fraction(const Printed& numerator, const Printed& denominator) const override {
    return {in(numerator, product) + "/" + in(denominator, power), product};
  }
  std::string times() const override { return "*"; }
  std::string plus() const override { return " + "; }
  std::string minus() const override { return " - "; }
  std::string negate() const override { return "-"; }
  std::string relation(Relation r) const override {
    const char* const signs[] = {" < ", " <= ", " > ", " >= "};
    return signs[static_cast<int>(r)];
  }
  Printed cases(const std::vector<std::pair<std::string, std::string>>& lines) const override {
    std::string row;
    for (const auto& [value, when] : lines) row += when.empty() ? value : value + " if " + when + " else ";
    return {row, loose};
  }
};

bool greek(const std::string& name) {
  for (const char* letter : {"alpha", "beta", "gamma", "lambda", "mu", "sigma", "omega", "pi"})
    if (name == letter) return true;
  return false;
}

class Latex final : public Style {
  std::string number(const std::string& digits) const override { return digits; }
  std::string symbol(const std::string& name) const override {
    if (greek(name)) return "\\" + name;
    if (name.size() == 1 || (name[0] >= '0' && name[0] <= '9')) return name;
    std::string escaped;
    for (const char c : name) escaped += c == '_' ? std::string("\\_") : std::string(1, c);
    return "\\mathrm{" + escaped + "}";
  }
  std::string parentheses(const std::string& inside) const override { return "\\left(" + inside + "\\right)"; }
  Printed call(const std::string& function, const Printed& argument) const override {
    if (function == "exp") return {"e^{" + argument.text + "}", power};
    if (function == "sqrt") return {"\\sqrt{" + argument.text + "}", atom};
    const std::string name = function == "log"       ? "\\ln"
                             : function == "tanh"    ? "\\tanh"
                             : function == "sin"     ? "\\sin"
                             : function == "atan"    ? "\\arctan"
                             : function == "sigmoid" ? "\\sigma"
                                                     : "\\operatorname{" + function + "}";
    return {name + parentheses(argument.text), atom};
  }
  Printed raised(const Printed& base, int exponent) const override {
    return {in(base, atom) + "^{" + std::to_string(exponent) + "}", power};
  }
  Printed fraction(const Printed& numerator, const Printed& denominator) const override {
    return {"\\frac{" + numerator.text + "}{" + denominator.text + "}", atom};
  }
  std::string times() const override { return "\\,"; }
  std::string plus() const override { return " + "; }
  std::string minus() const override { return " - "; }
  std::string negate() const override { return "-"; }
  std::string relation(Relation r) const override {
    const char* const signs[] = {" < ", " \\le ", " > ", " \\ge "};
    return signs[static_cast<int>(r)];
  }
  Printed cases(const std::vector<std::pair<std::string, std::string>>& lines) const override {
    std::string rows;
    for (const auto& [value, when] : lines)
      rows += value + (when.empty() ? " & \\text{otherwise}" : " & \\text{if } " + when + " \\\\ ");
    return {"\\begin{cases} " + rows + " \\end{cases}", atom};
  }
};

class Mathml final : public Style {
  static std::string operation(const std::string& sign) { return "<mo>" + sign + "</mo>"; }
  std::string number(const std::string& digits) const override { return "<mn>" + digits + "</mn>"; }
  std::string symbol(const std::string& name) const override {
    if (name[0] >= '0' && name[0] <= '9') return number(name);
    const std::pair<const char*, const char*> letters[] = {{"alpha", "α"},  {"beta", "β"}, {"gamma", "γ"},
                                                           {"lambda", "λ"}, {"mu", "μ"},   {"sigma", "σ"},
                                                           {"omega", "ω"},  {"pi", "π"}};
    for (const auto& [word, letter] : letters)
      if (name == word) return "<mi>" + std::string(letter) + "</mi>";
    return "<mi>" + name + "</mi>";
  }
  std::string parentheses(const std::string& inside) const override {
    return "<mrow><mo>(</mo>" + inside + "<mo>)</mo></mrow>";
  }
  Printed call(const std::string& function, const Printed& argument) const override {
    if (function == "exp") return {"<msup><mi>e</mi>" + group(argument.text) + "</msup>", power};
    if (function == "sqrt") return {"<msqrt>" + argument.text + "</msqrt>", atom};
    const std::string name = function == "log"       ? "ln"
                             : function == "sigmoid" ? "σ"
                             : function == "atan"    ? "arctan"
                                                     : function;
    return {group("<mi>" + name + "</mi><mo>&#x2061;</mo>" + parentheses(argument.text)), atom};
  }
  Printed raised(const Printed& base, int exponent) const override {
    return {"<msup>" + group(in(base, atom)) + number(std::to_string(exponent)) + "</msup>", power};
  }
  Printed fraction(const Printed& numerator, const Printed& denominator) const override {
    return {"<mfrac>" + group(numerator.text) + group(denominator.text) + "</mfrac>", atom};
  }
  std::string times() const override { return operation("&#x2062;"); }
  std::string plus() const override { return operation("+"); }
  std::string minus() const override { return operation("−"); }
  std::string negate() const override { return operation("−"); }
  std::string relation(Relation r) const override {
    const char* const signs[] = {"&lt;", "≤", "&gt;", "≥"};
    return operation(signs[static_cast<int>(r)]);
  }
  Printed cases(const std::vector<std::pair<std::string, std::string>>& lines) const override {
    std::string rows;
    for (const auto& [value, when] : lines)
      rows += "<mtr><mtd>" + value + "</mtd><mtd>" +
              (when.empty() ? "<mtext>otherwise</mtext>" : group("<mtext>if&#xa0;</mtext>" + when)) + "</mtd></mtr>";
    return {"<mrow><mo>{</mo><mtable columnalign=\"left\">" + rows + "</mtable></mrow>", atom};
  }
  std::string group(const std::string& row) const override { return "<mrow>" + row + "</mrow>"; }
};

}  // namespace

std::string text(const Expression& e) { return print(e, Text{}).text; }
std::string latex(const Expression& e) { return print(e, Latex{}).text; }
std::string mathml(const Expression& e) {
  return "<math xmlns=\"http://www.w3.org/1998/Math/MathML\" display=\"block\">" + print(e, Mathml{}).text + "</math>";
}

}  // namespace actfun::trace
