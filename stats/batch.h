#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "stats/report.h"

namespace bascule::stats {

/// How a report reached us. Brewery presence is first-hand and wins over pubsub; a restored report
/// is what the store remembered from before the restart and never counts as fresh.
enum class ReportSource : std::uint8_t { kBrewery = 0, kPubsub = 1, kRestored = 2 };

/// A report with its origin; what history and the start after a crash need.
struct ReceivedReport {
  BridgeReport report;
  ReportSource source = ReportSource::kBrewery;
  Instant received{};        ///< For ages and expiry.
  WallTime received_wall{};  ///< For history and people.
  friend bool operator==(const ReceivedReport&, const ReceivedReport&) = default;
};

/// The reports that go to the store in one transaction, oldest first. Bounded: what comes when it
/// is full replaces the newest report of the same bridge, or is refused.
class Batch {
 public:
  static constexpr std::size_t kDefaultMax = 1024;
  explicit Batch(std::size_t max = kDefaultMax) : max_(max) {}

  /// Errors: kUnavailable when the batch is full and holds no report of the same bridge.
  Result<> add(ReceivedReport report);
  [[nodiscard]] const std::vector<ReceivedReport>& reports() const { return reports_; }
  [[nodiscard]] bool empty() const { return reports_.empty(); }
  [[nodiscard]] std::size_t size() const { return reports_.size(); }

 private:
  std::size_t max_;
  std::vector<ReceivedReport> reports_;
};

/// Canonical bytes of one report: what the store keeps and what the checksums are computed over
/// (layout: stats/batch.cc). Equal reports give equal bytes.
[[nodiscard]] std::string encode(const ReceivedReport& report);

/// Errors: kCorrupt when the bytes are not what `encode` makes. Never throws.
Result<ReceivedReport> decode_report(std::string_view bytes);

}  // namespace bascule::stats
