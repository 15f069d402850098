#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "base/time.h"
#include "focus/action.h"
#include "focus/input.h"
#include "focus/quarantine.h"
#include "focus/work_mark.h"
#include "xmpp/session.h"
#include "xmpp/transport.h"
#include "xmpp/xml/element.h"

namespace bascule::focus {

struct LinkOptions {
  StreamId stream;
  /// Put into `from` of what we send. A component must say who it is; empty on c2s, where the
  /// server stamps it (RFC 6120 8.1.2.1).
  Jid send_from;
  /// After a loss of the connection the stream may be resumed (XEP-0198): outstanding IQs wait for
  /// that until their own deadlines.
  bool resumable = false;
  /// mod_client_proxy's component: its request to see our presence is approved.
  std::optional<Jid> proxy_address;
  /// Whose stanzas are refused before anybody looks into them; outlives the link. nullptr:
  /// nobody's.
  const Quarantine* quarantine = nullptr;
  /// Told whose stanza is being read or written; outlives the link.
  WorkMark* mark = nullptr;
  std::uint64_t id_token = 0;
  std::size_t outstanding_max = 50'000;
};

/// Every stanza received is counted in exactly one of the first six.
struct LinkCounters {
  std::uint64_t delivered = 0;   ///< Became an input or completed a request.
  std::uint64_t malformed = 0;   ///< A known payload out of its range; a request was answered.
  std::uint64_t over_limit = 0;  ///< Rejected by the parser; a request was answered.
  std::uint64_t unpaired = 0;    ///< Late, duplicate or forged IQ answers.
  std::uint64_t ignored = 0;     ///< Presence probes, subscriptions and other stanzas without use.
  std::uint64_t refused = 0;     ///< Of rooms in quarantine; a request was answered.
  std::uint64_t sent = 0;
};

/// The link on which an action wants a stanza; nullopt: on none.
[[nodiscard]] std::optional<StreamId> stanza_stream(const Action& action);

/// Translates one link: stanzas to inputs, actions to stanzas. Core, so that the simulator can put
/// every message through the real codecs; the transport beneath is somebody else's.
class Link {
 public:
  explicit Link(LinkOptions options);

  /// The transport is up. Appends the end of requests that did not survive, then in::StreamUp.
  void up(const xmpp::Up& up, std::vector<Input>& inputs);
  /// The transport is down, or could not be opened. Appends in::StreamDown after the end of every
  /// outstanding request, unless the stream may yet be resumed.
  void down(const xmpp::Down& down, std::vector<Input>& inputs);

  /// One stanza. Appends what the focus must know to `inputs` and what is answered without it
  /// (malformed requests) to `replies`.
  void receive(const xml::Element& stanza, std::vector<Input>& inputs,
               std::vector<xml::Element>& replies);
  /// A stanza over the parse limits, of which only the head is known.
  void rejected(const xml::Element& head, std::vector<xml::Element>& replies);

  /// The stanza an action wants on this link (`stanza_stream`); nothing when it could not be sent,
  /// which `inputs` then says.
  std::optional<xml::Element> make(const Action& action, Now now, std::vector<Input>& inputs);
  /// The stanza to transmit; nothing when it could not be sent, which `inputs` then says.
  std::optional<xml::Element> send(const out::SendIq& request, Now now, std::vector<Input>& inputs);
  xml::Element send(const out::AnswerIq& answer);
  xml::Element send(const out::SendPresence& presence);

  /// Ends requests whose deadline has passed.
  void fire_timers(Now now, std::vector<Input>& inputs);
  [[nodiscard]] std::optional<Instant> next_deadline() const { return session_.next_deadline(); }

  [[nodiscard]] StreamId stream() const { return options_.stream; }
  [[nodiscard]] bool is_resumable() const { return options_.resumable; }
  [[nodiscard]] const LinkCounters& counters() const { return counters_; }
  [[nodiscard]] const xmpp::SessionCounters& iq_counters() const { return session_.counters(); }
  [[nodiscard]] std::size_t outstanding() const { return session_.outstanding(); }

 private:
  bool refuse(const xml::Element& stanza, std::vector<xml::Element>& replies);
  void decode(const xml::Element& stanza, std::vector<Input>& inputs,
              std::vector<xml::Element>& replies);
  std::optional<xml::Element> encode(const Action& action, Now now, std::vector<Input>& inputs);
  void receive_iq(const xml::Element& stanza, std::vector<Input>& inputs,
                  std::vector<xml::Element>& replies);
  void receive_presence(const xml::Element& stanza, std::vector<Input>& inputs,
                        std::vector<xml::Element>& replies);

  LinkOptions options_;
  xmpp::Session session_;
  LinkCounters counters_;
};

}  // namespace bascule::focus
