// SPDX-License-Identifier: Apache-2.0
#include "tool/formulas.h"

#include <algorithm>
#include <cmath>

namespace actfun::tool {
namespace {

/// The C library's functions of floats; with doubles on the way, whose last bits do not show in a float, they are
/// rounded correctly.
template <class Real>
struct Functions {
#define FUNCTION(name) \
  static float name(float x) { return static_cast<float>(std::name(static_cast<Real>(x))); }
  FUNCTION(exp)
  FUNCTION(expm1)
  FUNCTION(log)
  FUNCTION(log1p)
  FUNCTION(tanh)
  FUNCTION(erf)
  FUNCTION(erfc)
  FUNCTION(sin)
  FUNCTION(atan)
#undef FUNCTION
};

constexpr float kRootHalf = 0.707106781F, kRootTwo = 1.41421356F, kRootTwoOverPi = 0.797884561F;
constexpr float kDensity = 0.398942280F;  // 1/sqrt(2 pi)
constexpr float kCubic = 0.044715F;
constexpr float kSeluAlpha = 1.67326324F, kSeluScale = 1.05070099F;

float sqrt(float x) { return std::sqrt(x); }
float clip(float x, float low, float high) { return std::min(std::max(x, low), high); }

template <class Real>
struct Formulas : Functions<Real> {
  using F = Functions<Real>;
  using F::exp, F::expm1, F::log, F::log1p, F::tanh, F::erf, F::erfc, F::sin, F::atan;

  static float sigmoid(float x) { return 1 / (1 + exp(-x)); }
  static float softplus(float x) { return x > 20 ? x : log1p(exp(x)); }
  static float inner(float x) { return kRootTwoOverPi * (x + kCubic * x * x * x); }

  /// What needs one function, or none: nothing goes wrong where that is rounded correctly.
  static constexpr int kPlain = 6;
  static constexpr NaiveFormula kAll[] = {
    {"relu", 0, "x if x > 0 else 0", "textbooks", [](float x) { return x > 0 ? x : 0; }},
    {"tanh", 0, "tanh(x)", "textbooks", [](float x) { return tanh(x); }},
    {"exp", 0, "exp(x)", "textbooks", [](float x) { return exp(x); }},
    {"expm1", 0, "expm1(x)", "textbooks", [](float x) { return expm1(x); }},
    {"arctan", 0, "atan(x)", "textbooks", [](float x) { return atan(x); }},
    {"sine", 0, "sin(x)", "textbooks", [](float x) { return sin(x); }},
    {"sigmoid", 0, "1/(1 + exp(-x))", "textbooks, oneDNN, GGML", [](float x) { return sigmoid(x); }},
    {"sigmoid", 0, "0.5 + 0.5*tanh(x/2)", "where tanh is fast", [](float x) { return 0.5F + 0.5F * tanh(x / 2); }},
    {"sigmoid", 0, "1 - 1/(1 + exp(x))", "ONNX Runtime's f64 form", [](float x) { return 1 - 1 / (1 + exp(x)); }},
    {"sigmoid", 0, "exp(x)/(1 + exp(x))", "textbooks", [](float x) { return exp(x) / (1 + exp(x)); }},
    {"sigmoid", 1, "y*(1 - y), y = f(x)", "PyTorch, JAX: from the saved output",
     [](float x) {
       const float y = sigmoid(x);
       return y * (1 - y);
     }},
    {"tanh", 0, "(exp(x) - exp(-x))/(exp(x) + exp(-x))", "textbooks",
     [](float x) { return (exp(x) - exp(-x)) / (exp(x) + exp(-x)); }},
    {"tanh", 0, "2/(1 + exp(-2*x)) - 1", "textbooks", [](float x) { return 2 / (1 + exp(-2 * x)) - 1; }},
    {"tanh", 1, "1 - y^2, y = f(x)", "PyTorch, JAX: from the saved output",
     [](float x) {
       const float y = tanh(x);
       return 1 - y * y;
     }},
    {"tanh", 1, "(1 - y)*(1 + y), y = f(x)", "oneDNN",
     [](float x) {
       const float y = tanh(x);
       return (1 - y) * (1 + y);
     }},
    {"scaled_tanh", 1, "beta/alpha*(alpha^2 - y^2), y = f(x)", "from the saved output",
     [](float x) {
       const float alpha = 1.7159F, beta = 0.6666667F, y = alpha * tanh(beta * x);
       return beta / alpha * (alpha * alpha - y * y);
     }},
    {"silu", 0, "x/(1 + exp(-x))", "PyTorch, GGML", [](float x) { return x / (1 + exp(-x)); }},
    {"silu", 0, "x*sigmoid(x)", "JAX, Keras, MLX", [](float x) { return x * sigmoid(x); }},
    {"silu", 1, "s*(1 + x*(1 - s)), s = 1/(1 + exp(-x))", "by the chain rule",
     [](float x) {
       const float s = sigmoid(x);
       return s * (1 + x * (1 - s));
     }},
    {"swish", 0, "x*sigmoid(beta*x)", "TensorFlow, ONNX, oneDNN", [](float x) { return x * sigmoid(x); }},
    {"quick_gelu", 0, "x*sigmoid(1.702*x)", "ONNX Runtime, GGML, MLX, Hugging Face",
     [](float x) { return x * sigmoid(1.702F * x); }},
    {"gelu", 0, "x/2*(1 + erf(x/sqrt(2)))", "PyTorch, oneDNN, XNNPACK, GGML",
     [](float x) { return 0.5F * x * (1 + erf(x * kRootHalf)); }},
    {"gelu", 0, "x/2*erfc(-x/sqrt(2))", "JAX", [](float x) { return 0.5F * x * erfc(-x * kRootHalf); }},
    {"gelu", 1, "(1 + erf(x/sqrt(2)))/2 + x*phi(x)", "PyTorch, oneDNN",
     [](float x) { return 0.5F * (1 + erf(x * kRootHalf)) + x * (kDensity * exp(-0.5F * x * x)); }},
    {"gelu_tanh", 0, "x/2*(1 + tanh(u)), u = sqrt(2/pi)*(x + 0.044715*x^3)", "PyTorch, JAX, Transformer Engine, GGML",
     [](float x) { return 0.5F * x * (1 + tanh(inner(x))); }},
    {"gelu_tanh", 0, "x*sigmoid(2*u)", "where tanh is slow", [](float x) { return x * sigmoid(2 * inner(x)); }},
    {"gelu_tanh", 1, "(1 + t)/2 + x/2*(1 - t^2)*u', t = tanh(u)", "PyTorch, Transformer Engine",
     [](float x) {
       const float t = tanh(inner(x)), slope = kRootTwoOverPi * (1 + 3 * kCubic * x * x);
       return 0.5F * (1 + t) + 0.5F * x * (1 - t * t) * slope;
     }},
    {"softplus", 0, "log(1 + exp(x))", "textbooks, GGML, ONNX's reference", [](float x) { return log(1 + exp(x)); }},
    {"softplus", 0, "x if x > 20 else log1p(exp(x))", "PyTorch", [](float x) { return softplus(x); }},
    {"softplus", 0, "max(x, 0) + log1p(exp(-|x|))", "JAX, MLX",
     [](float x) { return std::max(x, 0.0F) + log1p(exp(-std::fabs(x))); }},
    {"softplus", 1, "z/(z + 1), z = exp(x)", "PyTorch, up to its cutoff at 20",
     [](float x) {
       const float z = exp(x);
       return x > 20 ? 1 : z / (z + 1);
     }},
    {"log_sigmoid", 0, "log(sigmoid(x))", "by hand", [](float x) { return log(sigmoid(x)); }},
    {"log_sigmoid", 0, "min(x, 0) - log1p(exp(-|x|))", "PyTorch, JAX",
     [](float x) { return std::min(x, 0.0F) - log1p(exp(-std::fabs(x))); }},
    {"log_sigmoid", 1, "1 - sigmoid(x)", "by hand", [](float x) { return 1 - sigmoid(x); }},
    {"mish", 0, "x*tanh(log1p(exp(x)))", "PyTorch, Keras", [](float x) { return x * tanh(softplus(x)); }},
    {"mish", 0, "x*tanh(log(1 + exp(x)))", "textbooks", [](float x) { return x * tanh(log(1 + exp(x))); }},
    {"elu", 0, "x if x > 0 else exp(x) - 1", "TensorFlow, MLX, ONNX Runtime, PyTorch before 2024",
     [](float x) { return x > 0 ? x : exp(x) - 1; }},
    {"elu", 0, "x if x > 0 else expm1(x)", "PyTorch, JAX, oneDNN, XNNPACK, GGML",
     [](float x) { return x > 0 ? x : expm1(x); }},
    {"elu", 1, "1 if x > 0 else y + 1, y = f(x)", "PyTorch, oneDNN: from the saved output",
     [](float x) { return x > 0 ? 1 : expm1(x) + 1; }},
    {"celu", 0, "max(x, 0) + min(exp(x/alpha) - 1, 0)", "textbooks",
     [](float x) { return std::max(x, 0.0F) + std::min(exp(x) - 1, 0.0F); }},
    {"selu", 0, "L*(max(x, 0) + min(A*exp(x) - A, 0))", "ONNX's reference",
     [](float x) { return kSeluScale * (std::max(x, 0.0F) + std::min(kSeluAlpha * exp(x) - kSeluAlpha, 0.0F)); }},
    {"selu", 0, "L*x if x > 0 else L*A*expm1(x), L = 1.0507, A = 1.67326", "MLX",
     [](float x) { return x > 0 ? 1.0507F * x : 1.0507F * (1.67326F * expm1(x)); }},
    {"expm1", 0, "exp(x) - 1", "GGML", [](float x) { return exp(x) - 1; }},
    {"elish", 0, "(exp(x) - 1)/(1 + exp(-x)) for x < 0", "textbooks",
     [](float x) { return x >= 0 ? x / (1 + exp(-x)) : (exp(x) - 1) / (1 + exp(-x)); }},
    {"xielu", 0, "alpha_n*(expm1(min(x, -1e-6)) - x) + beta*x for x <= 0", "Hugging Face, vLLM",
     [](float x) { return x > 0 ? 0.8F * x * x + 0.5F * x : 0.8F * (expm1(std::min(x, -1e-6F)) - x) + 0.5F * x; }},
    {"tanhshrink", 0, "x - tanh(x)", "PyTorch, Keras", [](float x) { return x - tanh(x); }},
    {"tanhshrink", 1, "1 - (1 - tanh(x)^2)", "by the chain rule",
     [](float x) {
       const float t = tanh(x);
       return 1 - (1 - t * t);
     }},
    {"softsign", 0, "x/(1 + |x|)", "PyTorch, JAX, Keras, MLX, ONNX Runtime",
     [](float x) { return x / (1 + std::fabs(x)); }},
    {"squareplus", 0, "(x + sqrt(x^2 + 4))/2", "JAX, Keras", [](float x) { return (x + sqrt(x * x + 4)) / 2; }},
    {"squareplus", 1, "(1 + x/sqrt(x^2 + 4))/2", "by the chain rule",
     [](float x) { return (1 + x / sqrt(x * x + 4)) / 2; }},
    {"sqrtsoftplus", 0, "sqrt(log(1 + exp(x)))", "textbooks", [](float x) { return sqrt(log(1 + exp(x))); }},
    {"sqrtsoftplus", 0, "sqrt(x if x > 20 else log1p(exp(x)))", "Hugging Face",
     [](float x) { return sqrt(softplus(x)); }},
    {"laplace", 0, "(1 + erf((x - mu)/(sigma*sqrt(2))))/2", "Hugging Face",
     [](float x) { return 0.5F * (1 + erf((x - 0.707107F) / (0.282095F * kRootTwo))); }},
    {"isru", 0, "x/sqrt(1 + x^2)", "textbooks", [](float x) { return x / sqrt(1 + x * x); }},
    {"isrlu", 0, "x if x >= 0 else x/sqrt(1 + x^2)", "textbooks",
     [](float x) { return x >= 0 ? x : x / sqrt(1 + x * x); }},
    {"bent_identity", 0, "(sqrt(x^2 + 1) - 1)/2 + x", "textbooks",
     [](float x) { return (sqrt(x * x + 1) - 1) / 2 + x; }},
    {"gaussian", 0, "exp(-x^2)", "textbooks", [](float x) { return exp(-(x * x)); }},
    {"gaussian", 1, "-2*x*exp(-x^2)", "by the chain rule", [](float x) { return -2 * x * exp(-(x * x)); }},
    {"arctan", 1, "1/(1 + x^2)", "textbooks", [](float x) { return 1 / (1 + x * x); }},
    {"lisht", 0, "x*tanh(x)", "TensorFlow Addons", [](float x) { return x * tanh(x); }},
    {"lisht", 1, "tanh(x) + x*(1 - tanh(x)^2)", "by the chain rule",
     [](float x) {
       const float t = tanh(x);
       return t + x * (1 - t * t);
     }},
    {"tanhexp", 0, "x*tanh(exp(x))", "textbooks", [](float x) { return x * tanh(exp(x)); }},
    {"logish", 0, "x*log(1 + sigmoid(x))", "textbooks", [](float x) { return x * log(1 + sigmoid(x)); }},
    {"serf", 0, "x*erf(log(1 + exp(x)))", "textbooks", [](float x) { return x * erf(log(1 + exp(x))); }},
    {"hard_sigmoid", 0, "min(max(x + 3, 0), 6)*(1/6)", "PyTorch on CUDA",
     [](float x) { return clip(x + 3, 0, 6) * (1.0F / 6); }},
    {"hard_sigmoid", 0, "min(max(x + 3, 0), 6)/6", "PyTorch, JAX, Keras",
     [](float x) { return clip(x + 3, 0, 6) / 6; }},
    {"hard_sigmoid", 0, "min(max(0.2*x + 0.5, 0), 1)", "Keras 2, ONNX's default: another function",
     [](float x) { return clip(0.2F * x + 0.5F, 0, 1); }},
    {"hard_swish", 0, "x*min(max(x + 3, 0), 6)/6", "PyTorch", [](float x) { return x * clip(x + 3, 0, 6) / 6; }},
    {"hard_swish", 0, "x*min(max(x + 3, 0), 6)*(1/6)", "PyTorch on CUDA",
     [](float x) { return x * clip(x + 3, 0, 6) * (1.0F / 6); }},
    {"hard_swish", 0, "x*(min(max(x + 3, 0), 6)/6)", "JAX", [](float x) { return x * (clip(x + 3, 0, 6) / 6); }},
    {"hard_mish", 0, "x/2*min(max(x + 2, 0), 2)", "timm", [](float x) { return 0.5F * x * clip(x + 2, 0, 2); }},
    {"snake", 0, "x + sin(x)^2", "TensorFlow Addons",
     [](float x) {
       const float s = sin(x);
       return x + s * s;
     }},
    {"smelu", 0, "(x + beta)^2/(4*beta) for |x| < beta", "xFormers",
     [](float x) { return x <= -2  ? 0
                          : x >= 2 ? x
                                   : (x + 2) * (x + 2) / 8; }},
    {"star_relu", 0, "0.8944*max(x, 0)^2 - 0.4472", "xFormers",
     [](float x) {
       const float r = std::max(x, 0.0F);
       return 0.8944F * (r * r) - 0.4472F;
     }},
  };
};

}  // namespace

std::span<const NaiveFormula> naive_formulas() {
  return std::span(Formulas<double>::kAll).subspan(Formulas<double>::kPlain);
}
std::span<const NaiveFormula> libm_formulas() { return Formulas<float>::kAll; }

}  // namespace actfun::tool
