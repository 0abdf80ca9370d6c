// SPDX-License-Identifier: Apache-2.0
// Chains as they are built, read and printed.
#include <cmath>
#include <initializer_list>
#include <utility>

#include "api/chain.h"
#include "api/text.h"

namespace actfun {
namespace {

std::string joined(std::initializer_list<std::string_view> pieces) {
  std::string text;
  for (const std::string_view piece : pieces) text.append(piece);
  return text;
}

[[noreturn]] void fail(actfun_status status, std::initializer_list<std::string_view> what) {
  throw ChainError(joined(what), status);
}

void check_finite(double value, const char* stage, const char* parameter) {
  if (!std::isfinite(value))
    fail(ACTFUN_BAD_PARAMETER, {stage, ": ", parameter, " = ", shortest(value), " is not finite"});
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// A piece of the text that is read, and where it begins.
struct Piece {
  std::string_view text;
  std::size_t column;
};
Piece trim(Piece piece) {
  while (!piece.text.empty() && piece.text.front() == ' ') piece.text.remove_prefix(1), ++piece.column;
  piece.text = trim(piece.text);
  return piece;
}
std::vector<Piece> split(Piece piece, char separator) {
  std::vector<Piece> pieces;
  for (std::size_t end; (end = piece.text.find(separator)) != std::string_view::npos;) {
    pieces.push_back(trim(Piece{piece.text.substr(0, end), piece.column}));
    piece = {piece.text.substr(end + 1), piece.column + end + 1};
  }
  pieces.push_back(trim(piece));
  return pieces;
}

/// An error that tells its column.
struct PlacedError : ChainError {
  using ChainError::ChainError;
};

/// Calls make(), and adds the column to what it says.
template <class Make>
void at(const Piece& piece, const Make& make) {
  const auto where = [&](const char* what) {
    return joined({"column ", std::to_string(piece.column + 1), ": ", what});
  };
  try {
    make();
  } catch (const PlacedError&) {
    throw;
  } catch (const ChainError& error) {
    throw PlacedError(where(error.what()), error.status);
  } catch (const ParameterError& error) {
    throw PlacedError(where(error.what()), ACTFUN_BAD_PARAMETER);
  } catch (const FunctionError& error) {
    throw PlacedError(where(error.what()), ACTFUN_BAD_FUNCTION);
  }
}

double number(const Piece& piece) {
  double value = 0;
  if (!parse_number(piece.text, value))
    at(piece, [&] { fail(ACTFUN_BAD_PARAMETER, {"'", piece.text, "' is not a number"}); });
  return value;
}
int integer(const Piece& piece) {
  const double value = number(piece);
  if (value != std::trunc(value) || std::fabs(value) > 1e6)
    at(piece, [&] { fail(ACTFUN_BAD_PARAMETER, {"'", piece.text, "' is not an integer"}); });
  return static_cast<int>(value);
}

/// A stage's arguments, of which there must be as many as are asked for.
class Arguments {
 public:
  Arguments(const Piece& stage, std::string_view name, const Piece& inside) : stage_(stage), name_(name) {
    if (!trim(inside.text).empty()) all_ = split(inside, ',');
  }
  void expect(std::size_t least, std::size_t most, const char* form) const {
    if (all_.size() >= least && all_.size() <= most) return;
    at(stage_, [&] {
      fail(ACTFUN_BAD_PARAMETER, {name_, " has ", std::to_string(all_.size()), " arguments; it is written ", form});
    });
  }
  std::size_t size() const { return all_.size(); }
  const Piece& operator[](std::size_t i) const { return all_[i]; }

 private:
  Piece stage_;
  std::string_view name_;
  std::vector<Piece> all_;
};

void take_bias(Chain& chain, const Arguments& all) {
  all.expect(1, 2, "bias(ARRAY), bias(ARRAY, axis=1) or bias(NUMBER)");
  double c = 0;
  if (all.size() == 1 && parse_number(all[0].text, c)) return chain.shift(c);
  int axis = -1;
  if (all.size() == 2) {
    Piece piece = all[1];
    constexpr std::string_view kAxis = "axis=";
    if (piece.text.starts_with(kAxis)) piece = {piece.text.substr(kAxis.size()), piece.column + kAxis.size()};
    axis = integer(piece);
  }
  chain.bias(std::string(all[0].text), axis);
}
void take_quantize(Chain& chain, const Arguments& all) {
  all.expect(2, 3, "quantize(SCALE, ZERO_POINT) or quantize(SCALE, ZERO_POINT, int8)");
  Quantization to{false, static_cast<float>(number(all[0])), integer(all[1])};
  if (all.size() == 3) {
    if (all[2].text != "int8" && all[2].text != "uint8")
      at(all[2], [&] { fail(ACTFUN_BAD_FORMAT, {"'", all[2].text, "' is neither int8 nor uint8"}); });
    to.is_signed = all[2].text == "int8";
  }
  chain.quantize(to);
}

struct Word {
  std::string_view name;
  void (*take)(Chain& chain, const Arguments& all);
};
constexpr Word kWords[] = {
    {"bias", take_bias},
    {"add",
     [](Chain& chain, const Arguments& all) {
       all.expect(1, 1, "add(ARRAY)");
       chain.add(std::string(all[0].text));
     }},
    {"multiply",
     [](Chain& chain, const Arguments& all) {
       all.expect(1, 1, "multiply(ARRAY)");
       chain.multiply(std::string(all[0].text));
     }},
    {"scale",
     [](Chain& chain, const Arguments& all) {
       all.expect(1, 1, "scale(NUMBER)");
       chain.scale(number(all[0]));
     }},
    {"clamp",
     [](Chain& chain, const Arguments& all) {
       all.expect(2, 2, "clamp(LOW, HIGH)");
       chain.clamp(number(all[0]), number(all[1]));
     }},
    {"dropout",
     [](Chain& chain, const Arguments& all) {
       all.expect(1, 1, "dropout(PROBABILITY)");
       chain.dropout(number(all[0]));
     }},
    {"quantize", take_quantize},
};

void take_stage(Chain& chain, const Piece& piece) {
  if (piece.text.empty()) fail(ACTFUN_BAD_FUNCTION, {"there is no stage"});
  const std::size_t open = piece.text.find('(');
  if (open == std::string_view::npos) {
    for (const Word& word : kWords)
      if (word.name == piece.text) return word.take(chain, {piece, word.name, {}});
    return chain.then(parse_function(piece.text));
  }
  const std::string_view name = trim(piece.text.substr(0, open));
  if (piece.text.back() != ')') fail(ACTFUN_BAD_PARAMETER, {"'", piece.text, "' lacks its last bracket"});
  const Piece inside{piece.text.substr(open + 1, piece.text.size() - open - 2), piece.column + open + 1};
  for (const Word& word : kWords)
    if (word.name == name) return word.take(chain, {piece, word.name, inside});
  std::string known;
  for (const Word& word : kWords) known = joined({known, known.empty() ? "" : ", ", word.name});
  fail(ACTFUN_BAD_FUNCTION, {"'", name, "' is no stage with brackets; these are ", known});
}

}  // namespace

Stage& Chain::stage(Stage::Kind kind) {
  if (quantizes()) fail(ACTFUN_NOT_POSSIBLE, {"nothing can follow quantize"});
  stages_.push_back({.kind = kind});
  return stages_.back();
}
void Chain::take_operand(Stage& made, std::string name) {
  made.operand = operands_.size();
  operands_.push_back(std::move(name));
}

void Chain::then(const Call& call) {
  if (!call.entry->elementwise())
    fail(ACTFUN_BAD_FUNCTION, {call.info().name, " works on rows: stages work on every element"});
  stage(Stage::Kind::function).call = call;
}
void Chain::bias(std::string name, int axis) {
  Stage& made = stage(Stage::Kind::bias);
  made.axis = axis;
  take_operand(made, std::move(name));
}
void Chain::add(std::string name) { take_operand(stage(Stage::Kind::add), std::move(name)); }
void Chain::multiply(std::string name) { take_operand(stage(Stage::Kind::multiply), std::move(name)); }
void Chain::shift(double c) {
  check_finite(c, "bias", "the number");
  stage(Stage::Kind::shift).a = c;
}
void Chain::scale(double c) {
  check_finite(c, "scale", "the factor");
  stage(Stage::Kind::scale).a = c;
}
void Chain::clamp(double low, double high) {
  if (!(low <= high)) fail(ACTFUN_BAD_PARAMETER, {"clamp: ", shortest(low), " is not at most ", shortest(high)});
  Stage& made = stage(Stage::Kind::clamp);
  made.a = low, made.b = high;
}
void Chain::dropout(double p) {
  if (!(p >= 0 && p < 1)) fail(ACTFUN_BAD_PARAMETER, {"dropout: a probability of ", shortest(p), " is not in [0, 1)"});
  stage(Stage::Kind::dropout).a = p;
}
void Chain::quantize(const Quantization& to) {
  const int least = to.is_signed ? -128 : 0;
  if (!(to.scale > 0) || !std::isfinite(to.scale))
    fail(ACTFUN_BAD_FORMAT,
         {"quantize: a scale of ", shortest(static_cast<double>(to.scale)), " is not a positive float"});
  if (to.zero_point < least || to.zero_point > least + 255)
    fail(ACTFUN_BAD_FORMAT, {"quantize: a zero point of ", std::to_string(to.zero_point), " is not in [",
                             std::to_string(least), ", ", std::to_string(least + 255), "]"});
  stage(Stage::Kind::quantize).quantization = to;
}

Chain Chain::parse(std::string_view text) {
  Chain chain;
  chain.append(text);
  return chain;
}
void Chain::append(std::string_view text) {
  if (trim(text).empty()) return;
  Chain longer = *this;
  for (const Piece& piece : split({text, 0}, '|')) at(piece, [&] { take_stage(longer, piece); });
  *this = std::move(longer);
}

namespace {

std::string_view word_of(Stage::Kind kind) {
  switch (kind) {
    case Stage::Kind::bias:
    case Stage::Kind::shift:
      return "bias";
    case Stage::Kind::add:
      return "add";
    case Stage::Kind::multiply:
      return "multiply";
    case Stage::Kind::scale:
      return "scale";
    case Stage::Kind::clamp:
      return "clamp";
    case Stage::Kind::dropout:
      return "dropout";
    case Stage::Kind::quantize:
      return "quantize";
    case Stage::Kind::function:
      break;
  }
  return "";
}

/// What stands between the brackets.
std::string arguments_of(const Stage& stage, std::string_view operand) {
  switch (stage.kind) {
    case Stage::Kind::bias:
      return stage.axis == -1 ? std::string(operand) : joined({operand, ", axis=", std::to_string(stage.axis)});
    case Stage::Kind::add:
    case Stage::Kind::multiply:
      return std::string(operand);
    case Stage::Kind::clamp:
      return joined({shortest(stage.a), ", ", shortest(stage.b)});
    case Stage::Kind::quantize:
      return joined({shortest(static_cast<double>(stage.quantization.scale)), ", ",
                     std::to_string(stage.quantization.zero_point), stage.quantization.is_signed ? ", int8" : ""});
    case Stage::Kind::shift:
    case Stage::Kind::scale:
    case Stage::Kind::dropout:
    case Stage::Kind::function:
      break;
  }
  return shortest(stage.a);
}

}  // namespace

std::string Chain::text() const {
  std::string text;
  for (const Stage& stage : stages_) {
    if (!text.empty()) text += " | ";
    const std::string_view operand = stage.has_operand() ? operands_[stage.operand] : std::string_view();
    text += stage.kind == Stage::Kind::function ? stage.call.text()
                                                : joined({word_of(stage.kind), "(", arguments_of(stage, operand), ")"});
  }
  return text;
}

std::string Chain::formula() const {
  std::string y = "x";
  bool is_sum = false;
  for (const Stage& stage : stages_) {
    const std::string_view operand = stage.has_operand() ? operands_[stage.operand] : std::string_view();
    const std::string factor = is_sum ? joined({"(", y, ")"}) : y;
    is_sum = false;
    switch (stage.kind) {
      case Stage::Kind::function:
        y = joined({stage.call.text(), "(", y, ")"});
        break;
      case Stage::Kind::bias:
      case Stage::Kind::add:
        y = joined({y, " + ", operand}), is_sum = true;
        break;
      case Stage::Kind::shift:
        y = joined({y, stage.a < 0 ? " - " : " + ", shortest(std::fabs(stage.a))}), is_sum = true;
        break;
      case Stage::Kind::multiply:
        y = joined({factor, " * ", operand});
        break;
      case Stage::Kind::scale:
        y = joined({shortest(stage.a), " * ", factor});
        break;
      case Stage::Kind::clamp:
      case Stage::Kind::dropout:
      case Stage::Kind::quantize:
        y = joined({word_of(stage.kind), "(", y, ", ", arguments_of(stage, operand), ")"});
        break;
    }
  }
  return y;
}

}  // namespace actfun
