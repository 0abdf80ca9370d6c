// SPDX-License-Identifier: Apache-2.0
// What functions onto the simplex and cross-entropy cost beside softmax, on rows of normal numbers, one thread, f32:
// medians of interleaved runs in ns an element. The argument is the standard deviation of the numbers, 1 unless given.
#include "api/simplex.h"

#include <fmt/core.h>

#include <cstdlib>
#include <string>

#include "api/loss.h"
#include "bench/measure.h"

namespace {

using namespace actfun;

struct Candidate {
  std::string name;
  std::function<void()> run;
};

void compare(std::size_t rows, std::size_t length, double spread) {
  const std::size_t n = rows * length;
  std::mt19937 generator(1);
  std::normal_distribution<float> normal(0, static_cast<float>(spread));
  std::vector<float> x(n), y(n), sparse(n), g(n), dx(n);
  for (float& v : x) v = normal(generator);
  for (float& v : g) v = normal(generator);
  const auto view = [&](std::vector<float>& numbers) {
    return actfun_array{numbers.data(), ACTFUN_F32, 2, {rows, length}, {static_cast<std::ptrdiff_t>(length), 1}};
  };
  const actfun_array in = view(x), out = view(y), output = view(sparse), upstream = view(g), gradient = view(dx);
  const Target& target = current_target();
  entmax(1.5, in, output, 1, target);
  std::vector<std::int32_t> labels(rows);
  for (std::size_t i = 0; i < rows; ++i) labels[i] = static_cast<std::int32_t>(i * 7 % length);
  double loss = 0;
  std::vector<Candidate> all = {
      {"softmax", [&] { softmax(x.data(), y.data(), rows, length, 1, target); }},
      {"sparsemax", [&] { entmax(2, in, out, 1, target); }},
      {"entmax, 1.5", [&] { entmax(1.5, in, out, 1, target); }},
      {"entmax, 1.25", [&] { entmax(1.25, in, out, 1, target); }},
      {"hardmax", [&] { hardmax(in, out, 1, target); }},
      {"gumbel_softmax", [&] { gumbel_softmax(1, 1, in, &out, nullptr, 1, target); }},
      {"sparsemax_backward", [&] { entmax_backward(2, output, upstream, gradient, 1, target); }},
      {"entmax_backward, 1.5", [&] { entmax_backward(1.5, output, upstream, gradient, 1, target); }},
      {"cross_entropy", [&] { cross_entropy({}, in, labels.data(), 1, &loss, nullptr, target); }},
      {"cross_entropy with gradient", [&] { cross_entropy({}, in, labels.data(), 1, &loss, &gradient, target); }},
      {"the same, smoothing 0.1",
       [&] { cross_entropy({.smoothing = 0.1}, in, labels.data(), 1, &loss, &gradient, target); }},
      {"the same, targets", [&] { cross_entropy({}, in, output, 1, &loss, &gradient, target); }},
  };
  std::vector<std::function<void()>> bodies;
  for (const Candidate& each : all) bodies.push_back(each.run);
  const std::vector<double> times = bench::interleaved_medians(bodies, 15, 1e-3, bench::Clock::thread);
  for (std::size_t i = 0; i < all.size(); ++i)
    fmt::print("| {} x {} | {} | {:.3f} | {:.2f} |\n", rows, length, all[i].name,
               times[i] / static_cast<double>(n) * 1e9, times[i] / times[0]);
}

}  // namespace

int main(int argc, char** argv) {
  const double spread = argc > 1 ? std::atof(argv[1]) : 1;
  fmt::print("{}, normal numbers of standard deviation {}\n\n", current_target().name, spread);
  fmt::print("| rows | function | ns an element | of softmax |\n|---|---|--:|--:|\n");
  compare(32, 128, spread);
  compare(4, 1024, spread);
  compare(8, 32768, spread);
}
