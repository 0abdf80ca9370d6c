// SPDX-License-Identifier: Apache-2.0
#include "lab/train.h"

#include <fmt/ranges.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "lab/loss.h"
#include "tool/npy.h"
#include "tool/output.h"
#include "tool/text.h"

namespace actfun::lab {
namespace {

enum Stream : std::uint32_t { kWeights = 1, kBatches = 2 };

/// Five digits are all that curves need.
Json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::strtod(fmt::format("{:.5g}", value).c_str(), nullptr);
}

double processor_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// What one layer did with all samples, which come in parts.
class Inspection {
 public:
  void add(const Layer<float>& layer) {
    const Matrix<float> slope = layer.slope();
    const Matrix<float>&y = layer.y(), &dz = layer.dz();
    passed_.resize(static_cast<std::size_t>(slope.cols()), false);
    const Index k = slope.cols() / y.cols();
    for (Index row = 0; row < slope.rows(); ++row) {
      for (Index unit = 0; unit < y.cols(); ++unit) {
        bool saturated = true;
        for (Index piece = unit * k; piece < (unit + 1) * k; ++piece) {
          const float s = std::fabs(slope(row, piece));
          saturated &= s < kSaturated;
          if (s > 0) passed_[static_cast<std::size_t>(piece)] = true;
        }
        saturated_ += saturated;
      }
    }
    count_ += y.size();
    sum_ += y.cast<double>().sum();
    squares_ += y.cast<double>().squaredNorm();
    signal_ += dz.cast<double>().squaredNorm();
    const auto gradient = layer.weight_gradients().cast<double>();
    if (gradient_.size() == 0)
      gradient_ = gradient;
    else
      gradient_ += gradient;
  }

  void record(Json& layer) const {
    const auto count = static_cast<double>(count_);
    const double mean = sum_ / count;
    layer["gradient"].push_back(number(gradient_.norm()));
    layer["signal"].push_back(number(std::sqrt(signal_)));
    layer["dead"].push_back(
        number(static_cast<double>(std::ranges::count(passed_, false)) / static_cast<double>(passed_.size())));
    layer["saturated"].push_back(number(static_cast<double>(saturated_) / count));
    layer["mean"].push_back(number(mean));
    layer["spread"].push_back(number(std::sqrt(std::max(0.0, squares_ / count - mean * mean))));
  }

 private:
  std::vector<bool> passed_;  ///< by unit, or by piece: whether a gradient passed for some sample
  Index saturated_ = 0, count_ = 0;
  double sum_ = 0, squares_ = 0, signal_ = 0;
  Matrix<double> gradient_;
};

void record_parameters(Layer<float>& layer, Json& record) {
  for (const auto& learned : layer.learned()) {
    if (learned.name == "W" || learned.name == "b") continue;
    Json& entry = record["parameters"][learned.name];
    double sum = 0;
    for (const float value : learned.values) sum += static_cast<double>(value);
    entry["mean"].push_back(number(sum / static_cast<double>(learned.values.size())));
    entry["low"].push_back(number(*std::ranges::min_element(learned.values)));
    entry["high"].push_back(number(*std::ranges::max_element(learned.values)));
  }
}

/// Samples that pass the network at once when it is only looked at.
constexpr Index kLook = 512;

template <class Body>
void in_parts(const Samples& samples, Body body) {
  for (Index row = 0; row < samples.x.rows(); row += kLook) {
    const Index rows = std::min(kLook, samples.x.rows() - row);
    const Matrix<float> x = samples.x.middleRows(row, rows);
    body(x, std::span(samples.labels).subspan(static_cast<std::size_t>(row), static_cast<std::size_t>(rows)));
  }
}

/// The losses on both parts of the data, and the layers' inspections, into the record. Returns the training loss.
double look(Network<float>& network, const Data& data, Json& record) {
  Matrix<float> gradient;
  double training = 0;
  for (const bool training_part : {true, false}) {
    const Samples& samples = training_part ? data.train : data.test;
    const auto count = static_cast<double>(samples.size());
    Loss total;
    std::vector<Inspection> inspections(network.layers().size() - 1);
    in_parts(samples, [&](const Matrix<float>& x, std::span<const int> labels) {
      const Loss loss = cross_entropy(network.forward(x), labels, 1 / count, gradient);
      total.sum += loss.sum;
      total.correct += loss.correct;
      if (!training_part) return;
      network.backward(gradient);
      for (std::size_t l = 0; l < inspections.size(); ++l) inspections[l].add(*network.layers()[l]);
    });
    if (training_part) {
      training = total.sum / count;
      if (!std::isfinite(training)) return training;
      for (std::size_t l = 0; l < inspections.size(); ++l) {
        inspections[l].record(record["layers"][l]);
        record_parameters(*network.layers()[l], record["layers"][l]);
      }
    }
    Json& part = record[training_part ? "train" : "test"];
    part["loss"].push_back(number(total.sum / count));
    part["accuracy"].push_back(number(static_cast<double>(total.correct) / count));
  }
  return training;
}

void train_epoch(Network<float>& network, const Settings& settings, const Data& data, Optimiser<float>& optimiser,
                 Random& random) {
  const std::vector<std::size_t> order = random.permutation(data.train.size());
  Matrix<float> x, gradient;
  std::vector<int> labels;
  for (std::size_t first = 0; first < order.size(); first += static_cast<std::size_t>(settings.batch)) {
    const std::size_t count = std::min(static_cast<std::size_t>(settings.batch), order.size() - first);
    x.resize(static_cast<Index>(count), data.train.x.cols());
    labels.clear();
    for (std::size_t i = 0; i < count; ++i) {
      x.row(static_cast<Index>(i)) = data.train.x.row(static_cast<Index>(order[first + i]));
      labels.push_back(data.train.labels[order[first + i]]);
    }
    cross_entropy(network.forward(x), labels, 1 / static_cast<double>(count), gradient);
    network.backward(gradient);
    optimiser.step(network.learned());
    network.settle();
  }
}

/// See `nonlinearity` in the header.
double nonlinearity(Network<float>& network, const Samples& samples) {
  const Index n = samples.x.cols();
  Matrix<float> probe = Matrix<float>::Zero(n + 1, n);
  probe.bottomRows(n).setIdentity();
  const Matrix<double> at = network.forward(probe).cast<double>();
  const Matrix<double> slopes = at.bottomRows(n).rowwise() - at.row(0);
  const Matrix<double> y = network.forward(samples.x).cast<double>();
  const Matrix<double> affine = (samples.x.cast<double>() * slopes).rowwise() + at.row(0);
  const Row<double> mean = y.colwise().mean();
  return (y - affine).norm() / (y.rowwise() - mean).norm();
}

void dump_sums(Network<float>& network, const Samples& samples, const std::string& directory) {
  std::filesystem::create_directories(directory);
  network.forward(samples.x);
  for (std::size_t l = 0; l + 1 < network.layers().size(); ++l) {
    const Matrix<float>& z = network.layers()[l]->z();
    tool::NpyHeader header;
    header.shape = {static_cast<std::uint64_t>(z.rows()), static_cast<std::uint64_t>(z.cols())};
    const std::string start = tool::npy_header_bytes(header);
    tool::OutputFile file(fmt::format("{}/layer{}.npy", directory, l + 1));
    file.write(start.data(), start.size(), 0);
    file.write(z.data(), static_cast<std::size_t>(z.size()) * sizeof(float), start.size());
    file.commit();
  }
}

}  // namespace

std::string Settings::function_text() const {
  if (functions.empty()) return "none";
  const bool same = std::ranges::all_of(functions, [&](const auto& f) { return f == functions[0]; });
  return same ? functions[0] : fmt::format("{}", fmt::join(functions, "/"));
}

Json Settings::json(const Data& data) const {
  Json json = {{"data", data.name},
               {"hash", data.hash},
               {"functions", functions},
               {"width", width},
               {"initialiser", kInitialisers[static_cast<std::size_t>(initialiser)]},
               {"learn", kLearn[static_cast<std::size_t>(learn)]},
               {"share", share},
               {"centred", centred},
               {"method", kMethods[static_cast<std::size_t>(method)]},
               {"rate", rate},
               {"momentum", momentum},
               {"batch", batch},
               {"epochs", epochs},
               {"seed", seed}};
  return json;
}

template <class T>
Network<T>::Network(const Settings& settings, Index inputs, Index classes) {
  Random random(settings.seed, kWeights);
  double gain = 1;
  const auto add = [&](Index in, Index out, const Call& call, Learn learn) {
    const Index share = settings.share > 0 ? settings.share : out;
    layers_.push_back(make_layer<T>(in, out, call, learn, share, settings.centred && call.entry->elementwise()));
    randomise(layers_.back()->weights(), weight_variance(settings.initialiser, gain, in, out), random);
    if (settings.initialiser == Initialiser::lecun) return;
    gain = moments(call).gain();
    if (!std::isfinite(gain))
      tool::fail("{} passes no gradient (E[f'^2] = 0): only --initialiser lecun does without its gain", call.text());
  };
  for (const std::string& function : settings.functions) {
    add(inputs, settings.width, parse_function(function), settings.learn);
    inputs = settings.width;
  }
  add(inputs, classes, parse_function("identity"), Learn::none);
}

template <class T>
const Matrix<T>& Network<T>::forward(const Matrix<T>& x) {
  const Matrix<T>* y = &x;
  for (auto& layer : layers_) y = &layer->forward(*y);
  return *y;
}

template <class T>
void Network<T>::backward(const Matrix<T>& gradient_of_logits) {
  const Matrix<T>* gradient = &gradient_of_logits;
  for (std::size_t l = layers_.size(); l-- > 0;) gradient = &layers_[l]->backward(*gradient, l > 0);
}

template <class T>
std::vector<Learned<T>> Network<T>::learned() {
  std::vector<Learned<T>> list;
  for (auto& layer : layers_)
    for (auto& learned : layer->learned()) list.push_back(std::move(learned));
  return list;
}

template <class T>
void Network<T>::settle() {
  for (auto& layer : layers_) layer->settle();
}

template class Network<float>;
template class Network<double>;

Json train(const Settings& settings, const Data& data, const std::string& dump,
           const std::function<void()>& epoch_done) {
  fix_products();
  Network<float> network(settings, data.train.x.cols(), data.classes);
  Optimiser<float> optimiser(settings.method, settings.rate, settings.momentum);
  Random random(settings.seed, kBatches);
  Json record = {{"settings", settings.json(data)}, {"outcome", "finished"}};
  for (const char* part : {"train", "test"}) record[part] = {{"loss", Json::array()}, {"accuracy", Json::array()}};
  record["seconds"] = Json::array();
  record["steps"] = (static_cast<Index>(data.train.size()) + settings.batch - 1) / settings.batch;
  record["layers"] = Json::array();
  for (const std::string& function : settings.functions) record["layers"].push_back({{"function", function}});

  const double first = look(network, data, record);
  for (int epoch = 1; epoch <= settings.epochs; ++epoch) {
    const double start = processor_seconds();
    train_epoch(network, settings, data, optimiser, random);
    const double seconds = processor_seconds() - start;
    const double loss = look(network, data, record);
    if (!(loss <= kDiverged * first)) {
      record["outcome"] = "diverged";
      break;
    }
    record["seconds"].push_back(number(seconds));
    epoch_done();
  }
  record["nonlinearity"] = number(nonlinearity(network, data.train));
  if (!dump.empty()) dump_sums(network, data.train, dump);
  return record;
}

Json FitSettings::json() const {
  return {{"fit", function}, {"target", target}, {"points", points}, {"rate", rate}, {"steps", steps}, {"seed", seed}};
}

Json fit(const FitSettings& settings) {
  constexpr int kEntries = 40;
  fix_products();
  Matrix<float> x(settings.points, 1), target(settings.points, 1), gradient;
  for (Index i = 0; i < settings.points; ++i)
    x(i) = static_cast<float>(-1 + 2 * static_cast<double>(i) / static_cast<double>(settings.points - 1));
  if (settings.target == "square")
    target = x.cwiseProduct(x);
  else
    parse_function(settings.target).evaluate(Order::value, x.data(), target.data(), static_cast<std::size_t>(x.size()));

  const Call call = parse_function(settings.function);
  const auto layer = make_layer<float>(1, 1, call, Learn::learnable, 1);
  Random random(settings.seed, kWeights);
  randomise(layer->weights(), 1, random);
  if (call.entry->elementwise()) layer->weights() = layer->weights().cwiseAbs();
  for (Index i = 0; i < layer->bias().size() && !call.entry->elementwise(); ++i)
    layer->bias()(i) = static_cast<float>(0.5 * random.normal());

  Json record = {{"settings", settings.json()}, {"outcome", "finished"}, {"loss", Json::array()}, {"error", nullptr}};
  Optimiser<float> optimiser(Method::adam, settings.rate, 0);
  const auto count = static_cast<double>(settings.points);
  for (int step = 0;; ++step) {
    const Loss loss = squared_error(layer->forward(x), target, 1 / count, gradient);
    if (step * kEntries % settings.steps == 0) {
      record["loss"].push_back(number(loss.sum / count));
      record_parameters(*layer, record);
    }
    if (step == settings.steps) break;
    layer->backward(gradient, false);
    optimiser.set_rate(settings.rate * (1 - static_cast<double>(step) / settings.steps));
    optimiser.step(layer->learned());
    layer->settle();
  }
  record["error"] = number((layer->y() - target).cwiseAbs().maxCoeff());
  const Row<float> most = layer->slope().cwiseAbs().colwise().maxCoeff();
  record["dead"] = number(static_cast<double>((most.array() == 0).count()) / static_cast<double>(most.size()));
  return record;
}

}  // namespace actfun::lab
