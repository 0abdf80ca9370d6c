// SPDX-License-Identifier: Apache-2.0
// The lab: layers against the textbook and against finite differences, and everything that a run is made of.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <thread>

#include "lab/data.h"
#include "lab/gain.h"
#include "lab/layers.h"
#include "lab/loss.h"
#include "lab/optimiser.h"
#include "lab/runs.h"
#include "lab/train.h"
#include "tool/npy.h"

namespace actfun::lab {
namespace {

namespace fs = std::filesystem;

template <class T>
Matrix<T> random_matrix(Index rows, Index columns, std::uint64_t seed) {
  Random random(seed, 7);
  Matrix<T> m(rows, columns);
  randomise(m, 1, random);
  return m;
}

/// sum(c y), whose gradient by y is c: any gradient comes through.
double weighted(const Matrix<double>& y, const Matrix<double>& c) { return y.cwiseProduct(c).sum(); }

/// Every gradient of a layer or network against central differences of `loss`, which runs it anew.
template <class Loss>
void expect_gradients(std::vector<Learned<double>> learned, Loss loss, const std::string& what) {
  constexpr double h = 1e-6;
  for (const auto& part : learned) {
    const std::vector<double> gradients(part.gradients.begin(), part.gradients.end());
    double largest = 0;
    for (const double g : gradients) largest = std::max(largest, std::fabs(g));
    EXPECT_GT(largest, 0) << what << " " << part.name;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      double& value = part.values[i];
      const double kept = value;
      value = kept + h;
      const double above = loss();
      value = kept - h;
      const double below = loss();
      value = kept;
      EXPECT_NEAR(gradients[i], (above - below) / (2 * h), 1e-7 * (1 + largest)) << what << " " << part.name << i;
    }
  }
}

void check_layer(const std::string& function, Learn learn, Index share, bool centred = false) {
  constexpr Index kIn = 5, kOut = 6, kRows = 70;  // more than a tile
  const auto layer = make_layer<double>(kIn, kOut, parse_function(function), learn, share, centred);
  Random random(3, 1);
  randomise(layer->weights(), 0.3, random);
  layer->bias() = random_matrix<double>(1, layer->bias().size(), 5);
  Matrix<double> x = random_matrix<double>(kRows, kIn, 1);
  const Matrix<double> c = random_matrix<double>(kRows, kOut, 2);
  layer->forward(x);
  const Matrix<double> dx = layer->backward(c);
  const auto loss = [&] { return weighted(layer->forward(x), c); };
  expect_gradients(layer->learned(), loss, function);
  for (Index i = 0; i < x.size(); i += 7) {
    const double kept = x.data()[i];
    x.data()[i] = kept + 1e-6;
    const double above = loss();
    x.data()[i] = kept - 1e-6;
    const double below = loss();
    x.data()[i] = kept;
    EXPECT_NEAR(dx.data()[i], (above - below) / 2e-6, 1e-7) << function << " dx" << i;
  }
}

TEST(Layers, GradientsOfEveryElementwiseFunction) {
  for (const Entry& entry : functions()) {
    const std::string name(entry.info->name);
    if (!entry.elementwise() || name == "step" || name == "sign") continue;  // these pass no gradient
    check_layer(name, Learn::none, 6);
  }
}

TEST(Layers, GradientsOfParameters) {
  for (const Index share : {6, 2, 1}) {  // one for the layer, one a channel of two, one an element
    for (const char* function : {"prelu", "swish", "snake", "star_relu", "xielu"})
      check_layer(function, Learn::learnable, share);
    for (const char* function : {"elu:alpha=0.7", "celu", "softplus:beta=2", "leaky_relu"})
      check_layer(function, Learn::all, share);
  }
  check_layer("sigmoid", Learn::none, 6, true);
  check_layer("swish:beta=2", Learn::learnable, 3, true);
}

TEST(Layers, GradientsOfMaxout) {
  for (const char* function : {"maxout:k=2", "maxout:k=5"}) check_layer(function, Learn::none, 6);
}

TEST(Layers, AreTheTextbooks) {
  Dense<double> layer(3, 2, parse_function("tanh"), Learn::none, 2);
  layer.weights() << 0.1, -0.2, 0.3, 0.4, 0.5, -0.6;
  layer.bias() << 0.01, -0.02;
  Matrix<double> x(1, 3), g(1, 2);
  x << 1, -2, 0.5;
  g << 2, -3;
  const Matrix<double> y = layer.forward(x), dx = layer.backward(g);
  for (Index i = 0; i < 2; ++i) {
    double z = layer.bias()(i);
    for (Index j = 0; j < 3; ++j) z += layer.weights()(i, j) * x(j);
    const double slope = 1 - std::tanh(z) * std::tanh(z);
    EXPECT_NEAR(y(i), std::tanh(z), 1e-15);
    for (Index j = 0; j < 3; ++j) EXPECT_NEAR(layer.weight_gradients()(i, j), g(i) * slope * x(j), 1e-15);
    EXPECT_NEAR(layer.learned()[1].gradients[static_cast<std::size_t>(i)], g(i) * slope, 1e-15);
  }
  for (Index j = 0; j < 3; ++j) {
    double sum = 0;
    for (Index i = 0; i < 2; ++i) sum += layer.dz()(i) * layer.weights()(i, j);
    EXPECT_NEAR(dx(j), sum, 1e-15);
  }
}

TEST(Layers, FloatsFollowDoubles) {
  for (const char* function : {"gelu", "prelu", "maxout:k=3", "xielu"}) {
    const auto wide = make_layer<double>(8, 4, parse_function(function), Learn::learnable, 1);
    const auto narrow = make_layer<float>(8, 4, parse_function(function), Learn::learnable, 1);
    Random random(1, 1);
    randomise(narrow->weights(), 0.2, random);
    wide->weights() = narrow->weights().cast<double>();
    const Matrix<float> x = random_matrix<float>(100, 8, 1), c = random_matrix<float>(100, 4, 2);
    const Matrix<double> x_wide = x.cast<double>(), c_wide = c.cast<double>();
    EXPECT_TRUE(wide->forward(x_wide).isApprox(narrow->forward(x).cast<double>(), 1e-6)) << function;
    EXPECT_TRUE(wide->backward(c_wide).isApprox(narrow->backward(c).cast<double>(), 1e-6)) << function;
    const auto a = wide->learned();
    const auto b = narrow->learned();
    for (std::size_t i = 0; i < a.size(); ++i)
      for (std::size_t k = 0; k < a[i].gradients.size(); ++k)
        EXPECT_NEAR(a[i].gradients[k], static_cast<double>(b[i].gradients[k]), 1e-4) << function << " " << a[i].name;
  }
}

TEST(Layers, CentredOnesAreZeroAtZero) {
  const auto plain = make_layer<double>(3, 4, parse_function("softplus:beta=2"), Learn::none, 4);
  const auto centred = make_layer<double>(3, 4, parse_function("softplus:beta=2"), Learn::none, 4, true);
  plain->weights() = centred->weights() = random_matrix<double>(4, 3, 1);
  const Matrix<double> x = random_matrix<double>(70, 3, 2), zero = Matrix<double>::Zero(1, 3);
  const Matrix<double> difference = plain->forward(x) - centred->forward(x);
  EXPECT_LT((difference.array() - std::log(2) / 2).abs().maxCoeff(), 1e-14);
  EXPECT_EQ(centred->forward(zero).cwiseAbs().maxCoeff(), 0);
}

TEST(Layers, OnlyTheWinnerLearns) {
  Maxout<float> layer(1, 1, 3);
  layer.weights() << 1, 1, -1;  // the first two tie everywhere
  Matrix<float> x(2, 1), g(2, 1);
  x << 2, -3;
  g << 10, 1;
  EXPECT_EQ(layer.forward(x), (Matrix<float>(2, 1) << 2, 3).finished());
  EXPECT_EQ(layer.backward(g), (Matrix<float>(2, 1) << 10, -1).finished());
  EXPECT_EQ(layer.weight_gradients(), (Matrix<float>(3, 1) << 20, 0, -3).finished());
}

TEST(Layers, MaxoutOfTwoPiecesIsReluLeakyReluAndAbs) {
  constexpr float kSlope = 0.01f;
  const std::string leaky = fmt::format("leaky_relu:negative_slope={}", static_cast<double>(kSlope));
  const std::pair<std::string, float> cases[] = {{"relu", 0.0f}, {leaky, kSlope}, {"abs", -1.0f}};
  Random random(1, 1);
  Matrix<float> x(100'000, 1), y(x.rows(), 1);
  for (Index i = 0; i < x.size(); ++i)  // every exponent
    x(i) = static_cast<float>(random.normal() * std::exp2(270 * random.uniform() - 150));
  for (const auto& [name, second] : cases) {
    Maxout<float> layer(1, 1, 2);
    layer.weights() << 1, second;
    parse_function(name).evaluate(Order::value, x.data(), y.data(), static_cast<std::size_t>(x.size()));
    EXPECT_EQ(layer.forward(x), y) << name;
  }
}

TEST(Layers, RefuseWhatDoesNotFit) {
  const auto layer = make_layer<float>(3, 2, parse_function("relu"), Learn::none, 2);
  Matrix<float> x(4, 5);
  EXPECT_THROW(layer->forward(x), std::runtime_error);
  x.resize(4, 3);
  x.setZero();
  layer->weights().setZero();
  layer->forward(x);
  EXPECT_THROW(layer->backward(x), std::runtime_error);
  EXPECT_THROW(make_layer<float>(3, 2, parse_function("softmax"), Learn::none, 2), std::runtime_error);
  EXPECT_THROW(make_layer<float>(3, 4, parse_function("prelu"), Learn::learnable, 3), std::runtime_error);
}

TEST(Layers, ParametersStayInTheirDomain) {
  Dense<float> layer(2, 2, parse_function("xielu"), Learn::learnable, 1);
  layer.activation().values() << -1, 2, 0.25, 0.75;  // alpha_p > 0, alpha_n > beta = 0.5
  layer.settle();
  const Matrix<float> values = layer.activation().values();
  EXPECT_GT(values(0, 0), 0.0f);
  EXPECT_LT(values(0, 0), 0.01f);
  EXPECT_EQ(values(0, 1), 2.0f);
  EXPECT_GT(values(1, 0), 0.5f);
  EXPECT_LT(values(1, 0), 0.51f);
  EXPECT_EQ(values(1, 1), 0.75f);
}

TEST(Networks, GradientsOfAMixedOne) {
  Settings settings{.functions = {"tanh", "maxout:k=3", "prelu", "swish"}, .width = 6, .share = 2};
  Network<double> network(settings, 4, 3);
  const Matrix<double> x = random_matrix<double>(20, 4, 1);
  const std::vector<int> labels = {0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 1, 1};
  Matrix<double> gradient, ignored;
  cross_entropy(network.forward(x), labels, 1.0 / 20, gradient);
  network.backward(gradient);
  expect_gradients(
      network.learned(), [&] { return cross_entropy(network.forward(x), labels, 1.0 / 20, ignored).sum / 20; },
      "mixed");
}

TEST(Losses, CrossEntropy) {
  Matrix<float> logits(3, 3), gradient;
  logits << 1, 2, 3, 1000, -1000, 0, -1e30f, -1e30f, -1e30f;
  const int labels[] = {2, 1, 0};
  const Loss loss = cross_entropy(logits, labels, 1, gradient);
  EXPECT_NEAR(loss.sum, 0.40760596444438 + 2000 + std::log(3.0), 1e-9);
  EXPECT_EQ(loss.correct, 2u);
  std::vector<float> p(9);
  softmax(logits.data(), p.data(), 3, 3, 1, current_target());
  for (Index i = 0; i < 9; ++i)
    EXPECT_NEAR(gradient.data()[i], p[static_cast<std::size_t>(i)] - (i % 3 == labels[i / 3]), 1e-7);
}

TEST(Losses, SquaredError) {
  const Matrix<double> target = random_matrix<double>(5, 2, 1);
  Matrix<double> y = random_matrix<double>(5, 2, 2), gradient, ignored;
  squared_error(y, target, 0.2, gradient);
  for (Index i = 0; i < y.size(); ++i) {
    const double kept = y.data()[i];
    y.data()[i] = kept + 1e-5;
    const double above = squared_error(y, target, 1, ignored).sum;
    y.data()[i] = kept - 1e-5;
    EXPECT_NEAR(gradient.data()[i], 0.2 * (above - squared_error(y, target, 1, ignored).sum) / 2e-5, 1e-8);
    y.data()[i] = kept;
  }
}

TEST(Optimisers, MomentumByHand) {
  std::vector<double> w = {1}, g = {2};
  Optimiser<double> sgd(Method::sgd, 0.1, 0.5);
  sgd.step({{"W", w, g}});
  EXPECT_DOUBLE_EQ(w[0], 0.8);  // v = 2
  g[0] = -1;
  sgd.step({{"W", w, g}});
  EXPECT_DOUBLE_EQ(w[0], 0.8);  // v = 0
  sgd.step({{"W", w, g}});
  EXPECT_DOUBLE_EQ(w[0], 0.9);  // v = -1
}

TEST(Optimisers, AdamByHand) {
  std::vector<double> w = {1}, g = {4};
  Optimiser<double> adam(Method::adam, 0.1, 0);
  double m = 0, v = 0, want = 1;
  for (int t = 1; t <= 20; ++t) {
    g[0] = t % 3 - 0.5;
    adam.step({{"W", w, g}});
    m = 0.9 * m + 0.1 * g[0];
    v = 0.999 * v + 0.001 * g[0] * g[0];
    want -= 0.1 * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
    EXPECT_NEAR(w[0], want, 1e-12) << t;
  }
}

TEST(Gains, ThatAreKnown) {
  const auto value = [](const char* f) { return moments(parse_function(f)).value; };
  const auto slope = [](const char* f) { return moments(parse_function(f)).slope; };
  EXPECT_NEAR(slope("relu"), 0.5, 1e-12);
  EXPECT_NEAR(value("relu"), 0.5, 1e-12);
  EXPECT_NEAR(moments(parse_function("relu")).gain(), std::numbers::sqrt2, 1e-12);
  EXPECT_NEAR(slope("identity"), 1, 1e-12);
  EXPECT_NEAR(slope("leaky_relu:negative_slope=0.5"), (1 + 0.25) / 2, 1e-12);
  EXPECT_NEAR(value("selu"), 1, 1e-10) << "what it was made for";
  EXPECT_NEAR(slope("exp"), std::exp(2), 1e-11);
  EXPECT_NEAR(slope("sine"), (1 + std::exp(-2)) / 2, 1e-12);
  EXPECT_NEAR(slope("gaussian"), 4 / std::pow(5, 1.5), 1e-12);
  EXPECT_NEAR(value("hardtanh"), 0.5160585, 1e-6);
  EXPECT_NEAR(slope("hardtanh"), std::erf(1 / std::numbers::sqrt2), 1e-12) << "cut at its kinks";
  EXPECT_NEAR(value("tanh"), 0.394294, 1e-6);
  EXPECT_TRUE(std::isinf(moments(parse_function("step")).gain()));
  EXPECT_EQ(moments(parse_function("maxout:k=4")).gain(), 1);
  EXPECT_THROW(moments(parse_function("softmax")), std::runtime_error);
  EXPECT_NEAR(moments(parse_function("relu"), 3).value, 4.5, 1e-11);
  EXPECT_NEAR(moments(parse_function("sine"), 2).value, (1 - std::exp(-8)) / 2, 1e-12);
  EXPECT_NEAR(moments(parse_function("hardtanh"), 0.5).slope, std::erf(2 / std::numbers::sqrt2), 1e-12);
}

TEST(Gains, Initialisers) {
  EXPECT_DOUBLE_EQ(weight_variance(Initialiser::he, std::numbers::sqrt2, 50, 10), 2.0 / 50);
  EXPECT_DOUBLE_EQ(weight_variance(Initialiser::glorot, 1, 50, 10), 2.0 / 60);
  EXPECT_DOUBLE_EQ(weight_variance(Initialiser::lecun, 5, 50, 10), 1.0 / 50);
  Matrix<double> w(400, 500);
  Random random(1, 1);
  randomise(w, 0.25, random);
  EXPECT_NEAR(w.mean(), 0, 0.005);
  EXPECT_NEAR(w.squaredNorm() / static_cast<double>(w.size()), 0.25, 0.005);
  EXPECT_NEAR(w.array().pow(4).mean(), 3 * 0.0625, 0.01) << "normal, not only of this variance";
}

/// With its own gain a function neither lets the gradient vanish nor explode, which no other gain does.
TEST(Gains, KeepTheGradientsSize) {
  for (const char* function : {"relu", "leaky_relu", "elu", "gelu", "abs"}) {
    double ratio = 0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      Settings settings{.functions = std::vector<std::string>(10, function), .width = 128, .seed = seed};
      Network<float> network(settings, 128, 128);
      const Matrix<float> x = random_matrix<float>(200, 128, seed);
      network.forward(x);
      network.backward(random_matrix<float>(200, 128, seed + 100));
      ratio += std::log(static_cast<double>(network.layers()[0]->dz().norm() / network.layers()[9]->dz().norm())) / 45;
    }
    EXPECT_NEAR(ratio, 0, 0.1) << function;  // a factor of 1.1 a layer
  }
}

class Files : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::temp_directory_path() / fmt::format("actfun_lab_test.{}", getpid());
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::string write_gzip(const std::string& name, const std::string& bytes) const {
    gzFile file = gzopen(path(name).c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
    return path(name);
  }
  static std::string npy(const std::string& type, std::vector<std::uint64_t> shape, const std::string& bytes) {
    tool::NpyHeader header;
    header.type = type;
    header.shape = std::move(shape);
    return tool::npy_header_bytes(header) + bytes;
  }
  template <class T>
  static std::string bytes_of(std::initializer_list<T> list) {
    return {reinterpret_cast<const char*>(list.begin()), list.size() * sizeof(T)};
  }
  template <class Body>
  static void expect_refused(Body body, const std::string& says) {
    try {
      body();
      ADD_FAILURE() << "not refused: " << says;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
    }
  }
  void expect_bad_table(const std::string& name, const std::string& bytes, const std::string& says) const {
    const std::string file = write(name, bytes);
    expect_refused([&] { read_table(file); }, says);
    expect_refused([&] { read_table(file); }, name);
  }

  fs::path directory_;
};

TEST_F(Files, TablesOfEveryKind) {
  const std::vector<double> want = {1, -2, 3, 4};
  const auto expect = [&](const std::string& file, std::vector<double> values, Index rows) {
    const Table table = read_table(file);
    EXPECT_EQ(table.values, values) << file;
    EXPECT_EQ(table.rows, rows) << file;
    EXPECT_EQ(table.rows * table.columns, static_cast<Index>(values.size())) << file;
  };
  expect(write("a", npy("<f4", {2, 2}, bytes_of<float>({1, -2, 3, 4}))), want, 2);
  expect(write("a", npy("<f8", {2, 2}, bytes_of<double>({1, -2, 3, 4}))), want, 2);
  expect(write("a", npy("<i8", {4}, bytes_of<std::int64_t>({1, -2, 3, 4}))), want, 4);
  expect(write("a", npy("|i1", {4, 1}, bytes_of<std::int8_t>({1, -2, 3, 4}))), want, 4);
  expect(write("a", npy("|u1", {1, 2, 2}, bytes_of<std::uint8_t>({1, 254, 3, 4}))), {1, 254, 3, 4}, 1);
  expect(write("a", npy("<u2", {1}, bytes_of<std::uint16_t>({65535}))), {65535}, 1);
  expect(write("a", npy("<f2", {1}, bytes_of<std::uint16_t>({0xC000}))), {-2}, 1);
  expect(write("a", npy(">i4", {1}, std::string("\xff\xff\xff\xfe", 4))), {-2}, 1);
  const std::string idx("\0\0\x08\x03\0\0\0\2\0\0\0\1\0\0\0\2\1\2\3\xff", 20);
  expect(write("a", idx), {1, 2, 3, 255}, 2);
  expect(write_gzip("a.gz", idx), {1, 2, 3, 255}, 2);
  expect(write("a", std::string("\0\0\x0d\1\0\0\0\1\xc0\0\0\0", 12)), {-2}, 1);
  expect(write("a.csv", "1,-2\n3,4\n"), want, 2);
  expect(write("a.csv", "first;second\r\n1; -2\r\n\r\n3;4"), want, 2);
  expect(write_gzip("a.csv.gz", "1\t-2\n3\t4\n"), want, 2);
}

TEST_F(Files, BadTables) {
  expect_bad_table("a", "", "empty");
  expect_bad_table("a", "hello", "neither");
  expect_bad_table("a", npy("<f4", {2, 2}, bytes_of<float>({1, 2, 3})), "truncated");
  expect_bad_table("a", npy("<f4", {2}, bytes_of<float>({1, 2, 3})), "too long");
  expect_bad_table("a", npy("<f4", {std::uint64_t{1} << 40, std::uint64_t{1} << 40}, ""), "too large");
  expect_bad_table("a", npy("<c8", {1}, "12345678"), "<c8");
  expect_bad_table("a", npy("<f4", {0, 5}, ""), "no samples");
  expect_bad_table("a", "\x93NUMPY\1", "header");
  expect_bad_table("a", std::string("\0\0\x07\1\0\0\0\0", 8), "0x07");
  expect_bad_table("a", std::string("\0\0\x08\3\0\0\0\1", 8), "header");
  expect_bad_table("a", std::string("\0\0\x08\1\0\0\0\5\1\2\3", 11), "truncated");
  expect_bad_table("a", std::string("\0\0\x0e\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16), "too large");
  expect_bad_table("a.csv", "1,2\n3\n", "line 2 has 1 columns");
  expect_bad_table("a.csv", "1,2\n3,x\n", "'x'");
  expect_bad_table("a.csv", "only,names\n", "no samples");
  expect_refused([&] { read_table(path("missing")); }, "No such file");
  expect_refused([&] { read_table(directory_.string()); }, "regular");
  const std::string whole = [&] {
    std::ifstream file(write_gzip("a.gz", std::string(10'000, '1')), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  expect_bad_table("a.csv.gz", whole.substr(0, whole.size() - 3), "truncated");
  expect_bad_table("a.csv.gz", whole.substr(0, whole.size() / 2), "truncated");
  std::string flipped = whole;
  flipped[flipped.size() - 6] ^= 1;  // of the check sum
  expect_bad_table("a.csv.gz", flipped, "damaged");
}

TEST_F(Files, DataThatDoesNotFit) {
  const auto refuse = [&](DataOptions options, const std::string& says) {
    expect_refused([&] { read_data(options); }, says);
  };
  const std::string x = write("x.csv", "1,2\n3,4\n5,6\n7,9\n"), y = write("y.csv", "0\n1\n2\n1\n");
  refuse({.data = x, .labels = write("l.csv", "0\n1\n2\n")}, "4 samples");
  refuse({.data = x, .labels = write("l.csv", "0\n1\n2\n-1\n")}, "label -1 of sample 3");
  refuse({.data = x, .labels = write("l.csv", "0\n1\n2\n0.5\n")}, "0.5");
  refuse({.data = x, .labels = write("l.csv", "0\n1\n2\nnan\n")}, "nan");
  refuse({.data = x, .labels = write("l.csv", "0\n0\n0\n0\n")}, "all labels are 0");
  refuse({.data = x, .labels = y, .classes = 2}, "label 2 of sample 2 is out of range: integers from 0 to 1");
  refuse({.data = x, .labels = y, .classes = 1}, "1 classes");
  refuse({.data = x, .labels = x}, "2 columns");
  refuse({.data = y}, "feature");
  refuse({.data = write("n.csv", "1,2\n3,nan\n5,6\n7,9\n"), .labels = y}, "feature 1 of sample 1 is nan");
  refuse({.data = write("n.csv", "1,2\n3,4\n5,inf\n7,9\n"), .labels = y}, "feature 1 of sample 2 is inf");
  refuse({.data = x, .labels = y, .test_data = y, .test_labels = y}, "1 features");
  refuse({.data = x, .labels = y, .test_data = x, .test_labels = write("l.csv", "0\n1\n2\n3\n")}, "label 3");
  refuse({.data = x, .labels = y, .test_labels = y}, "need test data");
  refuse({.data = x, .labels = y, .test_share = 0.01}, "empty");
  refuse({.data = x, .labels = y, .test_share = 1}, "not between");
}

TEST_F(Files, DataIsSplitAndStandardised) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += fmt::format("{},7,{}\n", i, i % 2);
  const DataOptions options{.data = write("d.csv", text)};
  const Data data = read_data(options);
  EXPECT_EQ(data.train.size(), 80u);
  EXPECT_EQ(data.test.size(), 20u);
  EXPECT_EQ(data.classes, 2);
  EXPECT_NEAR(data.train.x.col(0).mean(), 0, 1e-6);
  EXPECT_NEAR(data.train.x.col(0).squaredNorm() / 80, 1, 1e-5);
  EXPECT_EQ(data.train.x.col(1).cwiseAbs().maxCoeff(), 0) << "a feature that never changes";
  EXPECT_EQ(read_data(options).hash, data.hash);

  DataOptions raw = options;
  raw.standardise = false;
  const Data as_read = read_data(raw);
  EXPECT_NE(as_read.hash, data.hash);
  std::vector<bool> seen(100);
  for (const Samples* part : {&as_read.train, &as_read.test})
    for (std::size_t i = 0; i < part->size(); ++i) {
      const int number = static_cast<int>(part->x(static_cast<Index>(i), 0));
      EXPECT_FALSE(seen[static_cast<std::size_t>(number)]) << "each sample once";
      seen[static_cast<std::size_t>(number)] = true;
      EXPECT_EQ(part->labels[i], number % 2);
    }
}

TEST_F(Files, RunsAreFoundAgain) {
  const std::string file = path("runs.jsonl");
  const auto made = [](int i) { return Json{{"settings", {{"i", i}}}, {"outcome", "finished"}, {"square", i * i}}; };
  std::atomic<int> worked = 0;
  std::vector<Task> runs;
  for (int i = 0; i < 9; ++i)
    runs.push_back({made(i)["settings"], [&, i] {
                      ++worked;
                      return made(i);
                    }});
  {
    RunFile out(file);
    out.add(made(3));
    do_runs(out, runs, 4, [] {});
    EXPECT_EQ(worked, 8);
    expect_refused([&] { RunFile second(file); }, "in use");
  }
  std::ofstream(file, std::ios::app) << R"({"settings":{"i":10},"outc)";  // killed here
  RunFile again(file);
  do_runs(again, runs, 4, [] {});
  EXPECT_EQ(worked, 8);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(*again.find(made(i)["settings"]), made(i));
  EXPECT_EQ(again.find(made(10)["settings"]), nullptr);
  again.add(made(10));
  std::ifstream in(file);
  std::string line;
  int lines = 0;
  for (; std::getline(in, line); ++lines) EXPECT_FALSE(Json::parse(line, nullptr, false).is_discarded()) << line;
  EXPECT_EQ(lines, 10);
}

TEST_F(Files, ARunThatFailsCostsNoOther) {
  RunFile out(path("runs.jsonl"));
  const auto made = [](int i) { return Json{{"settings", {{"i", i}}}, {"outcome", "finished"}}; };
  std::vector<Task> runs;
  for (int i = 0; i < 3; ++i)
    runs.push_back({made(i)["settings"], [&, i] {
                      if (i == 2) throw std::runtime_error("this one");
                      return made(i);
                    }});
  expect_refused([&] { do_runs(out, runs, 1, [] {}); }, "this one");
  EXPECT_NE(out.find(made(0)["settings"]), nullptr);
  EXPECT_NE(out.find(made(1)["settings"]), nullptr);
}

TEST_F(Files, NoRunsButOurs) {
  for (const char* text : {"hello\n", "{}\n", "[]\n", "{\"settings\":{}}\n"})
    expect_refused([&] { RunFile file(write("runs.jsonl", text)); }, "line 1");
}

/// Two rings around each other: no straight line parts them.
Data rings() {
  Data data{.name = "rings", .train = {}, .test = {}, .classes = 2, .hash = "rings"};
  Random random(1, 1);
  for (Samples* part : {&data.train, &data.test}) {
    part->x.resize(200, 2);
    for (Index i = 0; i < 200; ++i) {
      const double angle = 2 * std::numbers::pi * random.uniform(), radius = (i % 2 + 1) * (1 + 0.1 * random.normal());
      part->x.row(i) << static_cast<float>(radius * std::cos(angle)), static_cast<float>(radius * std::sin(angle));
      part->labels.push_back(static_cast<int>(i % 2));
    }
  }
  return data;
}

Json without_seconds(Json run) {
  run.erase("seconds");
  return run;
}

TEST(Runs, LearnWhatNoLineParts) {
  const Data data = rings();
  Settings settings{.functions = {"tanh", "relu"}, .width = 16, .rate = 0.1, .momentum = 0.9, .epochs = 30};
  const Json run = train(settings, data);
  EXPECT_EQ(run["outcome"], "finished");
  EXPECT_GT(run["test"]["accuracy"].back(), 0.95);
  EXPECT_GT(run["nonlinearity"], 0.1);
  EXPECT_EQ(run["train"]["loss"].size(), 31u);
  EXPECT_EQ(run["seconds"].size(), 30u);
  EXPECT_EQ(run["layers"].size(), 2u);
  for (const char* key : {"gradient", "signal", "dead", "saturated", "mean", "spread"})
    EXPECT_EQ(run["layers"][1][key].size(), 31u) << key;
  settings.functions = {};
  const Json line = train(settings, data);
  EXPECT_LT(line["test"]["accuracy"].back(), 0.7);
  EXPECT_LT(line["nonlinearity"], 1e-5);
  settings.functions = {"identity", "identity", "identity"};
  EXPECT_LT(train(settings, data)["nonlinearity"], 1e-5);
}

TEST(Runs, AreDecidedByTheirSeed) {
  const Data data = rings();
  Settings settings{.functions = {"gelu", "maxout:k=3", "prelu"}, .width = 12, .rate = 0.05, .epochs = 5};
  const Json once = without_seconds(train(settings, data));
  std::vector<Json> records(4);
  std::vector<std::jthread> threads;
  for (Json& record : records) threads.emplace_back([&] { record = without_seconds(train(settings, data)); });
  threads.clear();
  for (const Json& record : records) EXPECT_EQ(record, once);
  settings.seed = 2;
  EXPECT_NE(without_seconds(train(settings, data))["train"], once["train"]);
}

TEST(Runs, ThatDivergeAreKept) {
  Settings settings{.functions = {"identity", "square"}, .width = 16, .rate = 1e6, .epochs = 9};
  settings.functions = {"elu", "relu_squared"};
  const Json run = train(settings, rings());
  EXPECT_EQ(run["outcome"], "diverged");
  EXPECT_LT(run["seconds"].size(), 9u);
  EXPECT_FALSE(run.dump().empty());
}

TEST(Runs, TellDeadAndSaturatedUnits) {
  const Data data = rings();
  Settings settings{.functions = {"relu"}, .width = 8, .epochs = 0};
  EXPECT_EQ(train(settings, data)["layers"][0]["dead"][0], 0);
  settings.functions = {"threshold:threshold=1000"};  // is 0 up to 1000
  settings.initialiser = Initialiser::lecun;
  const Json dead = train(settings, data);
  EXPECT_EQ(dead["layers"][0]["dead"][0], 1);
  EXPECT_EQ(dead["layers"][0]["saturated"][0], 1);
  EXPECT_EQ(dead["layers"][0]["gradient"][0], 0);
  settings.functions = {"scaled_tanh:beta=1000"};
  const Json saturated = train(settings, data);
  EXPECT_GT(saturated["layers"][0]["saturated"][0], 0.9);
  EXPECT_LT(saturated["layers"][0]["dead"][0], 1);
}

TEST_F(Files, SumsAreDumped) {
  const Data data = rings();
  const Json run = train({.functions = {"relu", "tanh"}, .width = 8, .epochs = 1}, data, path("dump"));
  const Table z = read_table(path("dump/layer2.npy"));
  EXPECT_EQ(z.rows, 200);
  EXPECT_EQ(z.columns, 8);
  double mean = 0;
  for (const double v : z.values) mean += std::tanh(v) / 1600;
  EXPECT_NEAR(mean, run["layers"][1]["mean"].back(), 1e-5);
  EXPECT_TRUE(fs::exists(path("dump/layer1.npy")));
  EXPECT_FALSE(fs::exists(path("dump/layer3.npy")));
}

TEST(Fits, FindParameters) {
  const Json prelu = fit({.function = "prelu", .target = "leaky_relu:negative_slope=0.6"});
  EXPECT_NEAR(prelu["parameters"]["weight"]["mean"].back(), 0.6, 0.01);
  EXPECT_EQ(prelu["parameters"]["weight"]["mean"].front(), 0.25);
  const Json abs = fit({});
  EXPECT_LT(abs["error"], 1e-3);
}

}  // namespace
}  // namespace actfun::lab
