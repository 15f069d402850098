#include "focus/focus.h"

#include <utility>

#include "base/check.h"
#include "focus/focus_impl.h"

namespace bascule::focus {

std::string_view name_of(NotReady reason) {
  switch (reason) {
    case NotReady::kClientLinkDown:
      return "client_link_down";
    case NotReady::kServiceLinkDown:
      return "service_link_down";
    case NotReady::kRequestsLinkDown:
      return "requests_link_down";
    case NotReady::kProxyUnaware:
      return "proxy_unaware";
    case NotReady::kNotInBrewery:
      return "not_in_brewery";
    case NotReady::kSettling:
      return "settling";
    case NotReady::kNoBridge:
      return "no_bridge";
    case NotReady::kRoomsRefused:
      return "rooms_refused";
    case NotReady::kCommitDegraded:
      return "commit_degraded";
    case NotReady::kStatsBlind:
      return "stats_blind";
    case NotReady::kShuttingDown:
      return "shutting_down";
  }
  check_failed("reason is one of NotReady", __FILE__, __LINE__);
}

Readiness Focus::Impl::readiness(Now now) const {
  Readiness readiness;
  const auto add_if = [&](bool condition, NotReady reason) {
    if (condition) {
      readiness.reasons.push_back(reason);
    }
  };
  const bool service_up = shared_.is_up(StreamId::kService);
  add_if(!shared_.is_up(StreamId::kClient), NotReady::kClientLinkDown);
  add_if(!service_up, NotReady::kServiceLinkDown);
  add_if(shared_.options.requests_link && !shared_.is_up(StreamId::kRequests),
         NotReady::kRequestsLinkDown);
  add_if(shared_.is_up(StreamId::kClient) && !proxy_.is_done(), NotReady::kProxyUnaware);
  add_if(service_up && !brewery_.is_in(), NotReady::kNotInBrewery);
  add_if(brewery_.is_in() && shared_.placement.overload(now) == Overload::kSettling,
         NotReady::kSettling);
  add_if(brewery_.is_in() && shared_.placement.overload(now) == Overload::kNoBridge,
         NotReady::kNoBridge);
  add_if(rooms_refused_, NotReady::kRoomsRefused);
  add_if(commit_degraded_, NotReady::kCommitDegraded);
  add_if(service_up && shared_.placement.blindness().extent() >= Blindness::Extent::kMostly,
         NotReady::kStatsBlind);
  add_if(shared_.closing, NotReady::kShuttingDown);
  return readiness;
}

void Focus::Impl::check_invariants() const {
  std::size_t members = 0;
  conferences_.for_each([&members](const Conference& conference) {
    conference.check_invariants();
    members += conference.participant_count();
  });
  BASCULE_CHECK(members == shared_.counters.members.present());
  BASCULE_CHECK(conferences_.size() == shared_.counters.meetings.present());
  desk_.check_invariants();
  shared_.placement.check_invariants();
}

Focus::Focus(Options options, const Restored& restored, std::uint64_t seed, Now now, WorkMark* mark)
    : impl_(std::make_unique<Impl>(std::move(options), restored, seed, now, mark)) {
}
Focus::~Focus() = default;
Focus::Focus(Focus&&) noexcept = default;
Focus& Focus::operator=(Focus&&) noexcept = default;

void Focus::start(Now now, Actions& out) {
  impl_->start(now, out);
}

void Focus::handle(const Input& input, Now now, Actions& out) noexcept {
  impl_->handle(input, now, out);
}

void Focus::fire_timers(Now now, Actions& out) noexcept {
  impl_->fire_timers(now, out);
}

std::optional<Instant> Focus::next_deadline() const {
  return impl_->next_deadline();
}

const Options& Focus::options() const {
  return impl_->shared().options;
}

const Counters& Focus::counters() const {
  return impl_->shared().counters;
}

Readiness Focus::readiness(Now now) const {
  return impl_->readiness(now);
}

const Placement& Focus::placement() const {
  return impl_->shared().placement;
}

const Quarantine& Focus::quarantine() const {
  return impl_->quarantine();
}

const Orders& Focus::orders() const {
  return impl_->orders();
}

const StatsNode& Focus::stats_node() const {
  return impl_->brewery().stats_node();
}

std::optional<StatsRequery> Focus::stats_requery() const {
  return impl_->brewery().last_requery();
}

const StatsMirror& Focus::stats_mirror() const {
  return impl_->brewery().stats_mirror();
}

std::size_t Focus::conference_count() const {
  return impl_->conferences().size();
}

std::size_t Focus::participant_count() const {
  std::size_t count = 0;
  impl_->conferences().for_each(
      [&](const Conference& conference) { count += conference.participant_count(); });
  return count;
}

std::size_t Focus::session_count() const {
  std::size_t count = 0;
  impl_->conferences().for_each(
      [&](const Conference& conference) { count += conference.session_count(); });
  return count;
}

std::size_t Focus::visitor_count() const {
  std::size_t count = 0;
  impl_->conferences().for_each(
      [&](const Conference& conference) { count += conference.visitor_count(); });
  return count;
}

std::size_t Focus::waiting_requests() const {
  return impl_->desk().waiting();
}

void Focus::conferences_after(const std::optional<RoomJid>& after,
                              const std::function<bool(const ConferenceSummary&)>& visit) const {
  impl_->conferences().for_each_after(
      after, [&](const Conference& conference) { return visit(conference.summary()); });
}

std::optional<ConferenceView> Focus::conference(const RoomJid& room) const {
  const Conference* found = impl_->conferences().find(room);
  return found == nullptr ? std::nullopt : std::optional(found->view());
}

std::vector<ConferenceSize> Focus::conference_sizes() const {
  std::vector<ConferenceSize> sizes;
  sizes.reserve(impl_->conferences().size());
  impl_->conferences().for_each(
      [&sizes](const Conference& conference) { sizes.push_back(conference.size()); });
  return sizes;
}

std::optional<ConferenceDetails> Focus::details(const RoomJid& room) const {
  const Conference* conference = impl_->conferences().find(room);
  return conference == nullptr ? std::nullopt : std::optional(conference->details(options().offer));
}

const std::map<std::string, CapsSeen>& Focus::capabilities() const {
  return impl_->features().known();
}

void Focus::check_invariants() const {
  impl_->check_invariants();
}

}  // namespace bascule::focus
