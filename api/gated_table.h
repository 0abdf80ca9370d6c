// SPDX-License-Identifier: Apache-2.0
// The gated units that have names: Dauphin et al. 2017 gated with a sigmoid, Shazeer 2020 with whatever there is.
#pragma once

#include <limits>
#include <string_view>

#include "core/info.h"

namespace actfun {

/// Where gate and value lie in one array, along an axis: in halves, or as pairs of neighbours.
enum class GatedLayout : int { gate_first, gate_second, interleaved, interleaved_gate_second };
inline constexpr std::string_view kGatedLayouts[] = {"gate-first", "gate-second", "interleaved",
                                                     "interleaved-gate-second"};

/// y = scale a b with
///   a = min(h(min(g, limit)) [beta1 tanh(min(g, limit) / beta1)], gate_limit)
///   b = clip(v, +-limit) + offset, or beta2 tanh(v / beta2) + offset
/// for a gate g and a value v.
struct GatedExtras {
  static constexpr double kNone = std::numeric_limits<double>::infinity();
  double limit = kNone;         ///< of g from above, of v in magnitude
  double step_limit = kNone;    ///< of the gate's output from above, of v in magnitude
  double offset = 0;            ///< added to the value
  double beta1 = 0, beta2 = 0;  ///< soft limits; 0: none
  bool operator==(const GatedExtras&) const = default;
};

/// A framework's order of the halves.
struct GatedPreset {
  std::string_view name;
  GatedLayout layout;
  std::string_view remark{};
};

struct GatedInfo {
  std::string_view name;
  std::string_view gate;  ///< as parse_function reads it
  std::string_view formula;
  GatedExtras extras{};
  List<GatedPreset, 8> presets{};
  std::string_view paper{};
};

inline constexpr GatedInfo kGatedTable[] = {
    {.name = "glu",
     .gate = "sigmoid",
     .formula = "sigmoid(g)*v",
     .presets = {{"pytorch", GatedLayout::gate_second, "torch.nn.GLU"},
                 {"jax", GatedLayout::gate_second, "jax.nn.glu"},
                 {"keras", GatedLayout::gate_second, "keras.activations.glu"},
                 {"flax", GatedLayout::gate_second, "flax.linen.glu"},
                 {"mlx", GatedLayout::gate_second, "mlx.nn.GLU"},
                 {"timm", GatedLayout::gate_second, "GluMlp"},
                 {"te", GatedLayout::gate_first, "Transformer Engine: the other way round than pytorch"}},
     .paper = "Dauphin et al. 2017"},
    {.name = "bilinear", .gate = "identity", .formula = "g*v", .paper = "Shazeer 2020"},
    {.name = "reglu",
     .gate = "relu",
     .formula = "max(g, 0)*v",
     .presets = {{"ggml", GatedLayout::gate_first},
                 {"ggml_swapped", GatedLayout::gate_second},
                 {"te", GatedLayout::gate_first}},
     .paper = "Shazeer 2020"},
    {.name = "sreglu",
     .gate = "relu_squared",
     .formula = "max(g, 0)^2*v",
     .presets = {{"te", GatedLayout::gate_first, "SReLU means the squared relu there"}},
     .paper = "So et al. 2021 (the gate)"},
    {.name = "geglu",
     .gate = "gelu",
     .formula = "g*Phi(g)*v",
     .presets = {{"ggml", GatedLayout::gate_first, "GEGLU_ERF"},
                 {"ggml_swapped", GatedLayout::gate_second},
                 {"vllm", GatedLayout::gate_first, "GeluAndMul('none')"},
                 {"onnxruntime", GatedLayout::gate_second, "BiasSplitGelu, after its bias"}},
     .paper = "Shazeer 2020"},
    {.name = "geglu_tanh",
     .gate = "gelu_tanh",
     .formula = "gelu_tanh(g)*v",
     .presets = {{"ggml", GatedLayout::gate_first, "GEGLU"},
                 {"ggml_swapped", GatedLayout::gate_second},
                 {"te", GatedLayout::gate_first, "GEGLU"},
                 {"vllm", GatedLayout::gate_first, "GeluAndMul('tanh')"}},
     .paper = "Shazeer 2020"},
    {.name = "geglu_quick",
     .gate = "quick_gelu",
     .formula = "g*sigmoid(1.702*g)*v",
     .presets = {{"ggml", GatedLayout::gate_first},
                 {"ggml_swapped", GatedLayout::gate_second},
                 {"te", GatedLayout::gate_first, "QGEGLU"}},
     .paper = "Hendrycks & Gimpel 2016 (the gate)"},
    {.name = "swiglu",
     .gate = "silu",
     .formula = "g*sigmoid(g)*v",
     .presets = {{"ggml", GatedLayout::gate_first},
                 {"ggml_swapped", GatedLayout::gate_second},
                 {"te", GatedLayout::gate_first},
                 {"timm", GatedLayout::gate_first, "SwiGLUPacked"},
                 {"vllm", GatedLayout::gate_first, "SiluAndMul"},
                 {"vllm_swapped", GatedLayout::gate_second, "MulAndSilu"}},
     .paper = "Shazeer 2020"},
    {.name = "clamped_swiglu",
     .gate = "swish:beta=1.702",
     .formula = "m*sigmoid(1.702*m)*(clip(v, +-7) + 1), m = min(g, 7)",
     .extras = {.limit = 7, .offset = 1},
     .presets = {{"gpt-oss", GatedLayout::interleaved},
                 {"vllm", GatedLayout::interleaved, "SwigluOAIAndMul"},
                 {"ggml", GatedLayout::gate_first, "SWIGLU_OAI"},
                 {"te", GatedLayout::gate_first, "halves, unlike gpt-oss"}},
     .paper = "gpt-oss, OpenAI 2025"},
    {.name = "swiglu_step",
     .gate = "silu",
     .formula = "min(silu(g), 7)*clip(v, +-7)",
     .extras = {.step_limit = 7},
     .presets = {{"vllm", GatedLayout::gate_first, "SwigluStepAndMul: clamps after the gate"}},
     .paper = "vLLM"},
    {.name = "situ_glu",
     .gate = "sigmoid",
     .formula = "4*tanh(g/4)*sigmoid(g)*25*tanh(v/25)",
     .extras = {.beta1 = 4, .beta2 = 25},
     .presets = {{"te", GatedLayout::gate_first}},
     .paper = "Transformer Engine 2026"},
    {.name = "fatrelu_glu",
     .gate = "threshold:threshold=0,value=0",
     .formula = "g*v where g > 0, else 0",
     .presets = {{"vllm", GatedLayout::gate_first, "FatreluAndMul"}},
     .paper = "Kurtz et al. 2020 (the gate)"},
};

}  // namespace actfun
