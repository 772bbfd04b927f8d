#include "data/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/philox.h"

namespace fer {
namespace {

constexpr size_t kClasses = 256;  // labels are bytes

// Fisher-Yates driven by Philox; `group` keeps shuffles of one epoch and stream apart.
void shuffle(std::vector<uint32_t>& rows, uint64_t seed, uint32_t group, uint32_t epoch, Stream stream) {
  for (size_t i = rows.size(); i > 1; --i) {
    const Draw draw = philox(seed, {static_cast<uint32_t>(i), group, epoch, static_cast<uint32_t>(stream)});
    const uint64_t wide = uint64_t{draw[0]} << 32 | draw[1];
    std::swap(rows[i - 1], rows[wide % i]);
  }
}

// Drawings of each class, proportional to count^(1 - balance), rounded by largest remainder so that they add up to `total`.
std::vector<size_t> class_shares(const std::vector<size_t>& counts, size_t total, float balance) {
  std::vector<double> exact(counts.size());
  for (size_t c = 0; c < counts.size(); ++c) exact[c] = counts[c] ? std::pow(static_cast<double>(counts[c]), 1.0 - balance) : 0;
  const double scale = static_cast<double>(total) / std::accumulate(exact.begin(), exact.end(), 0.0);
  std::vector<size_t> shares(counts.size()), by_remainder(counts.size());
  for (size_t c = 0; c < counts.size(); ++c) shares[c] = static_cast<size_t>(exact[c] *= scale);
  std::iota(by_remainder.begin(), by_remainder.end(), size_t{0});
  auto remainder = [&](size_t c) { return exact[c] - static_cast<double>(shares[c]); };
  std::stable_sort(by_remainder.begin(), by_remainder.end(), [&](size_t a, size_t b) { return remainder(a) > remainder(b); });
  const size_t given = std::accumulate(shares.begin(), shares.end(), size_t{0});
  for (size_t i = 0; given + i < total; ++i) ++shares[by_remainder[i]];
  return shares;
}

// Every image of a class equally often, up to one drawing; who gets that one changes with the epoch.
std::vector<uint32_t> balanced(const std::vector<std::vector<uint32_t>>& by_class, const std::vector<size_t>& counts, size_t total, float balance,
                               uint64_t seed, uint32_t epoch) {
  const std::vector<size_t> shares = class_shares(counts, total, balance);
  std::vector<uint32_t> drawn;
  drawn.reserve(total);
  for (size_t c = 0; c < by_class.size(); ++c) {
    std::vector<uint32_t> rows = by_class[c];
    if (rows.empty()) continue;
    shuffle(rows, seed, static_cast<uint32_t>(c), epoch, Stream::kSample);
    for (size_t i = 0; i < shares[c]; ++i) drawn.push_back(rows[i % rows.size()]);
  }
  return drawn;
}

}  // namespace

EpochOrder draw_epoch(const std::vector<uint32_t>& rows, const std::vector<uint8_t>& labels, const Sampling& sampling, uint64_t seed,
                      uint32_t epoch) {
  std::vector<std::vector<uint32_t>> by_class(kClasses);
  for (uint32_t row : rows) by_class[labels[row]].push_back(row);
  std::vector<size_t> counts(kClasses);
  for (size_t c = 0; c < kClasses; ++c) counts[c] = by_class[c].size();
  const auto present = static_cast<double>(std::count_if(counts.begin(), counts.end(), [](size_t count) { return count > 0; }));

  EpochOrder order;
  order.rows = sampling.balance > 0 && !rows.empty() ? balanced(by_class, counts, rows.size(), sampling.balance, seed, epoch) : rows;
  shuffle(order.rows, seed, 0, epoch, Stream::kShuffle);

  std::vector<uint32_t> drawings(labels.size());
  order.variants.reserve(order.rows.size());
  for (uint32_t row : order.rows) {
    const double of_mean = static_cast<double>(counts[labels[row]]) * present / static_cast<double>(rows.size());
    order.variants.push_back({drawings[row]++, 1.f + sampling.rare_augmentation * static_cast<float>(std::max(0.0, 1.0 - of_mean))});
  }
  return order;
}

}  // namespace fer
