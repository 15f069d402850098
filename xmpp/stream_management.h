#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::xmpp {

inline constexpr std::string_view kSmNamespace = "urn:xmpp:sm:3";

/// What another process needs to take the session over (XEP-0198 5). `id` is as good as a password.
struct SmState {
  std::string id;
  std::string bound_jid;              ///< The full address the session was bound to.
  std::uint64_t inbound_handled = 0;  ///< h of our `<resume/>`, which takes it modulo 2^32.
  std::uint64_t outbound_acked = 0;   ///< Stanzas the server confirmed.
  std::vector<std::string> outbox;    ///< Sent and not confirmed, oldest first.
  friend bool operator==(const SmState&, const SmState&) = default;
};

/// The client's half of XEP-0198 stream management, without any I/O: counters, the outbox of
/// stanzas the server has not confirmed, and the decision what to send again after a resume.
///
/// Two counters of inbound stanzas are kept apart: *received* and *handled*. Only the handled one
/// is ever told to the server, in `<a/>` and in `<resume/>`, because "handled" means that every
/// effect of the stanza is committed; a process that dies in between gets the stanza again. What
/// was received and not handled when the connection broke is redelivered by the server as well;
/// this process has it already, so `received()` says which redelivered stanzas to drop.
///
/// Invariant: confirmed to the server <= handled <= received; all modulo 2^32 on the wire
/// (XEP-0198 4) and 64 bits wide inside.
class StreamManagement {
 public:
  struct Options {
    /// More unconfirmed stanzas or bytes than this end the link: the server stopped confirming.
    std::size_t max_outbox_stanzas = 50'000;
    std::size_t max_outbox_bytes = 64UL * 1024 * 1024;
    /// Ask for a confirmation after so many stanzas sent (at least 1).
    std::size_t request_every = 25;
  };

  StreamManagement() : StreamManagement(Options{}) {}
  explicit StreamManagement(const Options& options);
  /// Continues the session of another process; `resume_request()` is the next step. That process
  /// may have sent more than it stored: the first count of the server is believed.
  static StreamManagement restore(const SmState& state, const Options& options);
  [[nodiscard]] SmState state() const;

  /// A session without resumption to continue: counters at zero, outbox empty.
  void reset();
  /// `<enabled/>` arrived for a freshly bound address. Errors: kMalformed when it is none.
  Result<> enabled(const xml::Element& enabled_element, std::string bound_jid);
  [[nodiscard]] bool is_enabled() const { return enabled_; }
  /// True when a broken connection can be continued (the server gave an id).
  [[nodiscard]] bool can_resume() const { return enabled_ && !id_.empty(); }
  [[nodiscard]] const std::string& bound_jid() const { return bound_jid_; }

  /// One stanza came in. Returns its number in the session, counted from 1; nullopt when it is the
  /// redelivery of a stanza that was received before the resume and must be dropped.
  std::optional<std::uint64_t> received();
  /// Everything up to number `sequence` is committed. Larger than received() is our bug (checked);
  /// smaller than before has no effect.
  void handled(std::uint64_t sequence);

  /// One serialised stanza goes out. Errors: kUnavailable when the outbox is full.
  Result<> sent(std::string text);
  /// True when `<r/>` should follow what was sent; assumes the caller then sends it.
  bool take_request_due();
  /// Bytes and stanzas the server has not confirmed.
  [[nodiscard]] std::size_t outbox_bytes() const { return outbox_bytes_; }
  [[nodiscard]] std::size_t outbox_size() const { return outbox_.size(); }
  /// Stanzas of the session it has confirmed.
  [[nodiscard]] std::uint64_t outbound_acked() const { return acked_; }

  /// `<r/>` arrived: the `<a/>` to send now. When stanzas are received and not yet handled, another
  /// one is owed: see take_owed_answer().
  xml::Element answer_request();
  /// An `<a/>` that became due because handled() caught up with an earlier `<r/>`.
  std::optional<xml::Element> take_owed_answer();
  /// `<a/>` arrived. Errors: kMalformed (no or bad h), kInvalidArgument (h confirms what was never
  /// sent; XEP-0198 4 calls for ending the stream).
  Result<> acknowledged(const xml::Element& answer);

  /// `<enable/>` asking for resumption.
  static xml::Element enable_request();
  static xml::Element request();
  /// `<resume/>` with the handled count. Only when can_resume().
  [[nodiscard]] xml::Element resume_request();
  /// `<resumed/>` arrived: the stanzas to send again, oldest first; they stay in the outbox.
  /// Errors: kMalformed, kInvalidArgument as for acknowledged().
  Result<std::vector<std::string>> resumed(const xml::Element& resumed_element);

 private:
  Result<> confirm(const xml::Element& element);

  Options options_;
  bool enabled_ = false;
  std::string id_;
  std::string bound_jid_;
  std::uint64_t received_ = 0;
  std::uint64_t handled_ = 0;
  std::uint64_t resume_from_ = 0;        // The handled count our <resume/> told.
  std::uint64_t redelivered_until_ = 0;  // Stanzas up to this number were seen before the resume.
  std::optional<std::uint64_t> owed_;    // The number whose handling completes an earlier answer.
  std::deque<std::string> outbox_;
  std::size_t outbox_bytes_ = 0;
  std::uint64_t acked_ = 0;
  bool is_restored_ = false;  // And the server has not told its count yet.
  std::size_t since_request_ = 0;
};

}  // namespace bascule::xmpp
