// SPDX-License-Identifier: Apache-2.0
// One run: a multilayer perceptron is trained, and what its functions did is written down epoch by epoch.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lab/activation.h"
#include "lab/data.h"
#include "lab/gain.h"
#include "lab/layers.h"
#include "lab/optimiser.h"

namespace actfun::lab {

using Json = nlohmann::ordered_json;

/// A unit or sample is saturated where |f'| is smaller: almost nothing of a gradient passes.
inline constexpr double kSaturated = 0.01;
/// A run has diverged when its loss is not finite or this many times its first one.
inline constexpr double kDiverged = 1000;

struct Settings {
  std::vector<std::string> functions = {"relu", "relu"};  ///< of each hidden layer, as Call::text() writes them
  Index width = 64;                                       ///< of each hidden layer
  Initialiser initialiser = Initialiser::he;
  Learn learn = Learn::learnable;
  Index share = 0;  ///< units that share learned parameters; 0: all of a layer
  bool centred = false;
  Method method = Method::sgd;
  double rate = 0.05, momentum = 0;
  Index batch = 32;
  int epochs = 20;
  std::uint64_t seed = 1;

  /// What tells runs on this data apart, and finds one again.
  Json json(const Data& data) const;
  /// The functions as the command line has them: "relu", or "relu/tanh" for mixed layers.
  std::string function_text() const;
};

template <class T>
class Network {
 public:
  /// Weights are drawn from the seed; those of a layer by the gain of the function whose outputs it reads.
  Network(const Settings& settings, Index inputs, Index classes);

  /// The logits of a batch, which must stay where it is until `backward`.
  const Matrix<T>& forward(const Matrix<T>& x);
  const Matrix<T>& forward(Matrix<T>&& x) = delete;
  void backward(const Matrix<T>& gradient_of_logits);
  std::vector<Learned<T>> learned();
  void settle();
  /// The hidden layers and, last, the output layer.
  std::vector<std::unique_ptr<Layer<T>>>& layers() { return layers_; }

 private:
  std::vector<std::unique_ptr<Layer<T>>> layers_;
};

extern template class Network<float>;
extern template class Network<double>;

/// Trains a network and returns its record:
///
///     settings                   Settings::json
///     outcome                    "finished", or "diverged": then the arrays end with the epoch before
///     train, test                {loss, accuracy}: an entry for the untrained network and one for each epoch
///     seconds                    of processor time, for each epoch
///     steps                      of the optimiser, in an epoch
///     layers                     of each hidden layer, with entries as `train` has:
///       function                 its text
///       gradient                 the norm of dL/dW, over all training samples
///       signal                   the norm of dL/dz, over all training samples
///       dead                     the share of units (of maxout: pieces) whose f' is 0 for every training sample
///       saturated                the share of units and samples with |f'| < kSaturated
///       mean, spread             of the outputs over units and samples
///       parameters               {name: {mean, low, high}} of learned ones, over the layer
///     nonlinearity               how far the trained network is from linear in x: the deviation of its logits from the
///                                affine map that it is at 0 and the unit vectors, over the deviation of the logits
///
/// Numbers have five digits; infinities and NaN are null. Nothing but `seconds` depends on the machine's load or on
/// other runs. With `dump`, a directory, hidden layer L's sums z of all training samples go there as layerL.npy, L
/// from 1.
Json train(
    const Settings& settings, const Data& data, const std::string& dump = "",
    const std::function<void()>& epoch_done = [] {});

/// A single layer of one unit, without an output layer, that is trained to be a given function of one number.
struct FitSettings {
  std::string function = "maxout:k=2";  ///< the layer's
  std::string target = "abs";           ///< what it is to be, on evenly spaced points of [-1, 1]
  Index points = 257;
  double rate = 0.02;
  int steps = 4000;
  std::uint64_t seed = 1;

  Json json() const;
};

/// Full-batch Adam on the mean squared error, with a rate that falls linearly to 0. Weights begin at N(0, 1), those of
/// elementwise functions at |N(0, 1)|. The record: settings, outcome, loss (every 1/40 of the steps), error (the
/// largest over the points, at the end), dead (the share of pieces that win at no point, at the end), parameters (as in
/// `train`, every 1/40 of the steps).
Json fit(const FitSettings& settings);

}  // namespace actfun::lab
