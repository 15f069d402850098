#pragma once

#include <compare>

#include "focus/features.h"
#include "focus/offer_options.h"
#include "xmpp/proto/source.h"

namespace bascule::focus {

/// Which part of the conference's sources one receiver is told of. Receivers with equal filters
/// are told the same, which is what lets one encoding serve many of them.
struct SourceFilter {
  bool audio = true;
  bool video = true;
  bool strip_simulcast = true;
  friend auto operator<=>(const SourceFilter&, const SourceFilter&) = default;
};

[[nodiscard]] SourceFilter source_filter(const OfferOptions& options, Features features);

/// Keeps the first layer of every simulcast group: drops each SIM group with all its SSRCs but the
/// first, and each FID group whose first SSRC was dropped, with its second SSRC (Jicofo:
/// EndpointSourceSet.kt `stripSimulcast`). The set must be one ConferenceSourceMap accepted.
[[nodiscard]] proto::EndpointSources strip_simulcast(const proto::EndpointSources& sources);

/// Drops the media types the receiver lacks, then strips simulcast if asked to.
[[nodiscard]] proto::EndpointSources filtered(const proto::EndpointSources& sources,
                                              SourceFilter filter);

/// What is in `left` and not in `right`, element by element, in the order of `left`. Sources are
/// equal when all their fields are.
[[nodiscard]] proto::EndpointSources difference(const proto::EndpointSources& left,
                                                const proto::EndpointSources& right);

}  // namespace bascule::focus
