#pragma once

// Statistics a bridge puts into its brewery presence or a pubsub item
// (jitsi-xmpp-extensions: ColibriStatsExtension.java; Jitsi Videobridge: VideobridgeStatistics).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/stress.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kColibriNamespace = "http://jitsi.org/protocol/colibri";

/// All values as text, by name. The accessors read the ones the focus uses; they return nullopt
/// when the stat is absent or its text is not of the expected kind (`NaN` included). With
/// `stats-filter` on, a bridge sends only stress, version, region, relay id and the flags.
struct ColibriStats {
  std::map<std::string, std::string> values;
  friend bool operator==(const ColibriStats&, const ColibriStats&) = default;

  [[nodiscard]] std::optional<std::string_view> text(std::string_view name) const;
  /// "true" or "false", any case.
  [[nodiscard]] std::optional<bool> flag(std::string_view name) const;
  /// A decimal integer.
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const;
  /// A decimal number in millionths, see `parse_millionths`.
  [[nodiscard]] std::optional<std::int64_t> millionths(std::string_view name) const;

  [[nodiscard]] std::optional<Stress> stress_level() const;
  [[nodiscard]] std::optional<Stress> average_participant_stress() const;
  [[nodiscard]] std::optional<bool> healthy() const { return flag("healthy"); }
  [[nodiscard]] std::optional<bool> drain() const { return flag("drain"); }
  [[nodiscard]] std::optional<bool> graceful_shutdown() const { return flag("graceful_shutdown"); }
  [[nodiscard]] std::optional<bool> shutting_down() const { return flag("shutting_down"); }
  [[nodiscard]] std::optional<std::string_view> region() const { return text("region"); }
  [[nodiscard]] std::optional<std::string_view> relay_id() const { return text("relay_id"); }
  [[nodiscard]] std::optional<std::string_view> version() const { return text("version"); }
  [[nodiscard]] std::optional<std::string_view> release() const { return text("release"); }
  /// Bridge's own clock, UTC, `yyyy-MM-dd HH:mm:ss.SSS`.
  [[nodiscard]] std::optional<std::string_view> current_timestamp() const {
    return text("current_timestamp");
  }
  [[nodiscard]] std::optional<std::int64_t> participants() const { return integer("participants"); }
  [[nodiscard]] std::optional<std::int64_t> local_endpoints() const {
    return integer("local_endpoints");
  }
  [[nodiscard]] std::optional<std::int64_t> conferences() const { return integer("conferences"); }
  [[nodiscard]] std::optional<std::int64_t> total_participants() const {
    return integer("total_participants");
  }
  [[nodiscard]] std::optional<std::int64_t> total_conferences_created() const {
    return integer("total_conferences_created");
  }
};

/// A decimal number as Java prints it (`0.2177777`, `-3`, `1.0E-4`) in millionths, digits beyond
/// the sixth decimal cut off; never goes through floating point. Errors: kMalformed for anything
/// else (`NaN`, `Infinity`) or a value beyond 64 bits.
Result<std::int64_t> parse_millionths(std::string_view text);
/// The shortest decimal text, for example "0.2177" or "1".
std::string format_millionths(std::int64_t millionths);

bool is_colibri_stats(const xml::Element& element);

xml::Element encode(const ColibriStats& stats);
/// `stats` is the `<stats/>` element. Of stats with the same name the first wins (as in Jicofo);
/// entries without name or value are ignored.
Result<ColibriStats> decode_colibri_stats(const xml::Element& stats);

}  // namespace bascule::proto
