// SPDX-License-Identifier: Apache-2.0
// Certificates: what the right results of a function are, as hashes over all 2^32 inputs, and whether this machine's
// kernels give them. Written by actfun_certify from the oracle, checked by `actfun verify` without it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/outputs.h"

namespace actfun {

/// An input whose true value lies next to a midpoint of two floats: these are tested on every machine.
struct HardCase {
  float input;
  float output;          ///< the right result
  double log2_distance;  ///< from the midpoint, in units in the last place of the result
};

struct OrderCertificate {
  std::uint64_t inputs = 0;
  std::optional<std::uint64_t> misrounded;  ///< results of the kernel that differ; nothing when none was run
  double worst_error = 0;                   ///< of the kernel, in units in the last place
  float witness = 0;                        ///< its input
  std::uint64_t undecided = 0;              ///< inputs that the filter left to MPFR
  std::vector<HardCase> hard_cases;         ///< hardest first; the list only grows
  std::string hash, spread_hash;
  std::string sparse_hash;  ///< of the 2^24 outputs themselves
  std::vector<std::string> blocks, spread_blocks;

  bool complete() const { return blocks.size() == kBlocks && spread_blocks.size() == kBlocks; }
};

/// The fast tier's results of one order: what every instruction set with a fused multiply-add gives, and how good they
/// are.
struct FastCertificate {
  std::uint64_t inputs = 0;
  double worst_error = 0;  ///< in units in the last place
  float witness = 0;
  /// Near a root that is not at zero, errors beyond 2 units in the last place are held to this many units of 2^-24
  /// times the largest |result| within distance 1 of the root instead. 0 where no result needs that.
  double worst_near_root = 0;
  float root = 0, root_witness = 0;
  std::uint64_t near_root = 0;  ///< how many results
  std::string hash, sparse_hash;
  std::vector<std::string> blocks;
  bool complete() const { return blocks.size() == kBlocks; }
};

/// What the right results of one order are in a format other than f32.
struct FormatCertificate {
  std::uint64_t inputs = 0;
  std::optional<std::uint64_t> misrounded;
  double worst_error = 0;  ///< of the kernel, in units in the last place
  double witness = 0;
  std::string hash;
  std::string sparse_hash;  ///< of f64: over one input in 32
  bool complete() const { return !hash.empty(); }
};

/// One run of a kernel against a certificate, for the record.
struct Run {
  std::string target, order, extent;
  std::uint64_t inputs = 0, failed_blocks = 0;
  std::string cpu, date;
};

struct Certificate {
  std::string function, dtype = "f32", tier = "exact";
  std::vector<std::pair<std::string, double>> parameters;
  OrderCertificate orders[3];
  FormatCertificate formats[kFormatCount][3];  ///< that of f32 stays empty: it is `orders`
  FastCertificate fast[2];                     ///< value and slope, where the tier has kernels of its own
  std::vector<Run> runs;

  const OrderCertificate& operator[](Order order) const { return orders[static_cast<int>(order)]; }
  OrderCertificate& operator[](Order order) { return orders[static_cast<int>(order)]; }
  const FormatCertificate& operator()(Format format, Order order) const {
    return formats[static_cast<int>(format)][static_cast<int>(order)];
  }
  FormatCertificate& operator()(Format format, Order order) {
    return formats[static_cast<int>(format)][static_cast<int>(order)];
  }
  /// Of f32.
  bool complete() const { return orders[0].complete() && orders[1].complete() && orders[2].complete(); }
  /// Complete, and the kernels were found to round every f32 result correctly.
  bool clean() const;
  /// Whether this format is there, all orders of it.
  bool complete(Format format) const;
};

/// $ACTFUN_CERTIFICATES, else share/actfun/certificates beside the program's directory, else the source tree's.
std::filesystem::path certificate_directory();
std::filesystem::path certificate_path(std::string_view function);
/// Nothing when there is no such file. Throws std::runtime_error, naming the file, when it is not a certificate.
std::optional<Certificate> read_certificate(const std::filesystem::path& path);
std::optional<Certificate> find_certificate(std::string_view function);
/// Beside the file first and then over it, so that nobody sees half of one.
void write_certificate(const Certificate& certificate, const std::filesystem::path& path);

struct FailedBlock {
  std::uint32_t index, first, last;  ///< bit patterns of the first and the last input
};
struct Verification {
  Order order;
  std::string target;
  Extent extent;
  Format format = Format::f32;  ///< of any other there is one extent
  std::uint64_t inputs = 0;
  double seconds = 0;
  std::vector<FailedBlock> failed;
  bool passed() const { return failed.empty(); }
};

/// Computes all inputs, or those of `blocks` if there are any, and compares the hashes. `progress` is called now and
/// then with the share that is done, from one thread at a time. A call in the fast tier is held to what that gave.
/// Throws std::invalid_argument when the call has other parameters than the certificate, or the certificate lacks the
/// order.
Verification verify(const Call& call, Order order, const Target& target, const Certificate& certificate, Extent extent,
                    unsigned threads, const std::function<void(double)>& progress = {},
                    std::span<const std::uint32_t> blocks = {});

/// The same for a format other than f32, whose inputs are one block: all of them, or of f64 the sparse ones.
Verification verify(const Call& call, Order order, Format format, const Target& target, const Certificate& certificate,
                    Extent extent = Extent::full);

/// Enters a run in the certificate's list, in place of an older one of the same target, order and extent.
void record(Certificate& certificate, const Verification& verification);

}  // namespace actfun
