#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/jid.h"
#include "base/time.h"
#include "focus/offer_options.h"
#include "focus/placement_options.h"

namespace bascule::focus {

/// Upper bounds of everything that grows with input; reaching one is a typed refusal and a counter.
struct Limits {
  std::size_t conferences = 20'000;
  std::size_t participants_per_conference = 2'000;
  std::size_t waiting_requests = 20'000;  ///< Conference requests whose answer is outstanding.
  std::size_t outstanding_iqs = 50'000;   ///< Per stream.
};

/// What the focus needs to know of its deployment and its timers. Times are positive.
struct Options {
  // Deployment.
  std::string focus_nick = "focus";     ///< Clients accept Jingle only from this nick.
  Jid focus_user;                       ///< Bare `focus@auth.<domain>`: `focusjid` of answers.
  Jid conference_service;               ///< `conference.<domain>`; rooms elsewhere are refused.
  std::optional<Jid> breakout_service;  ///< `breakout.<domain>`.
  /// The client link's session is to outlive the process (XEP-0198).
  bool session_outlives_process = false;
  std::optional<Jid> proxy_address;  ///< `focus.<domain>` when mod_client_proxy forwards requests.
  /// Announces the components for room metadata and moderation; without it there are none.
  std::optional<Jid> main_host;
  /// Domains whose members may be recorders and gateways (Jicofo: `xmpp.trusted-domains`).
  std::vector<std::string> trusted_domains;
  RoomJid brewery;                    ///< `jvbbrewery@internal.auth.<domain>`.
  std::optional<Jid> pubsub_service;  ///< With `pubsub_node`: bridge stats by pubsub as well.
  std::string pubsub_node;            ///< For example `sharedStatsNode`.
  bool pubsub_keeps_items = false;    ///< The node is to remember the last item of each bridge.
  bool pubsub_publishes = false;      ///< Reports from the brewery are published to it.
  bool requests_link = true;          ///< Open StreamId::kRequests.
  std::string version;                ///< Published in presence and disco.

  // Conferences (defaults of Jicofo's reference.conf unless noted).
  std::uint32_t participants_min = 2;  ///< Below it nobody is invited.
  bool auto_owner = true;              ///< Make a member owner of a room that has none.
  Duration initial_timeout = std::chrono::seconds{15};  ///< Joined room without members is left.
  Duration single_participant_timeout = std::chrono::seconds{20};
  Duration room_join_timeout = std::chrono::seconds{30};  ///< Joins queue behind rate limiters.
  Duration iq_timeout = std::chrono::seconds{15};
  Duration accept_timeout = std::chrono::seconds{30};  ///< session-initiate to session-accept.
  Duration link_grace = std::chrono::seconds{120};  ///< Link loss: how long conferences are kept.
  Duration request_hold_max = std::chrono::seconds{5};  ///< How long an answer may be held.
  Duration disco_timeout = std::chrono::seconds{15};
  Duration restart_interval_min = std::chrono::seconds{5};  ///< Client restart requests.
  std::uint32_t restarts_per_minute_max = 5;
  Duration health_interval = std::chrono::seconds{10};      ///< Bridge health checks.
  Duration invite_retry_initial = std::chrono::seconds{2};  ///< Doubles to 8 s.

  bool audit = true;                                             ///< See Audit.
  Duration audit_spacing_first = std::chrono::milliseconds{50};  ///< Between conferences; restart.
  Duration audit_spacing = std::chrono::milliseconds{500};       ///< Later.
  Duration audit_round = std::chrono::seconds{60};  ///< No conference is looked at more often.
  /// How long a source may be shown to the room and not be signaled.
  Duration audit_source_patience = std::chrono::seconds{15};

  PlacementOptions placement;
  OfferOptions offer;
  Limits limits;
};

}  // namespace bascule::focus
