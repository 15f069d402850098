// The links of the simulated process, as daemon/link_runtime.cc has them: what leaves, what was
// heard, and how the next process goes on with the session of the client link.

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sim/focus_host_process.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace bascule::sim {

using focus::Action;
using focus::Input;
namespace out = focus::out;

namespace {

Jid address_of(StreamId stream, const Deployment& deployment) {
  switch (stream) {
    case StreamId::kRequests:
      return deployment.focus_component;
    case StreamId::kClient:
      return deployment.focus_user.with_resource("focus");
    case StreamId::kService:
      return deployment.service_component;
  }
  return {};
}

}  // namespace

focus::LinkOptions link_options(StreamId stream, const Deployment& deployment,
                                std::uint64_t process) {
  focus::LinkOptions options;
  options.stream = stream;
  options.resumable = stream == StreamId::kClient && deployment.stream_management;
  options.id_token = process;
  if (stream == StreamId::kService) {
    options.send_from =
        Jid::parse("focus@" + deployment.service_component.domain() + "/bascule").value();
  }
  return options;
}

/// The server is told what is stored, and nothing else.
void FocusHost::acknowledge() {
  const LinkPeer& link = peer(StreamId::kClient);
  const auto stored = durable_.links.find(StreamId::kClient);
  if (link.session && link.up && stored != durable_.links.end() &&
      stored->second.link.resume_id == std::to_string(*link.session)) {
    server_.acknowledge(*link.session, stored->second.handled);
  }
}

/// The stanzas of the client link are made when their turn ends: see focus::LinkJournal.
void FocusHost::prepare(const Action& action, LinkPeer& client) {
  if (focus::stanza_stream(action) == StreamId::kClient) {
    const auto stanza = make(action, client);
    client.journal.say(stanza ? std::optional(xml::to_string(*stanza)) : std::nullopt);
  }
}

std::optional<xml::Element> FocusHost::make(const Action& action, LinkPeer& link) {
  if (const auto* request = std::get_if<out::SendIq>(&action)) {
    note_asked(*request);
  }
  std::vector<Input> inputs;
  auto stanza = link.link.make(action, schedule_.both_clocks(), inputs);
  feed_all(inputs);
  return stanza;
}

void FocusHost::note_asked(const out::SendIq& request) {
  if (!outstanding_iqs_.insert(request.request.value()).second) {
    complaints_.push_back("request id used twice");
  }
}

void FocusHost::transmit(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    auto stanza = xml::parse(text);
    BASCULE_CHECK(stanza.has_value());
    transmit(StreamId::kClient, *stanza);
  }
}

void FocusHost::note_answered(const out::AnswerIq& answer) {
  const auto found =
      unanswered_.find(RequestKey{answer.stream, {answer.to.to_string(), answer.stanza_id}});
  if (found == unanswered_.end()) {
    complaints_.push_back("answer without a request, or a second one: " + answer.to.to_string());
    return;
  }
  unanswered_.erase(found);
}

void FocusHost::transmit(StreamId stream, const xml::Element& stanza) {
  LinkPeer& link = peer(stream);
  for (const char c : xml::to_string(stanza)) {
    action_hash_ = (action_hash_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  if (link.up && link.session) {
    server_.send(*link.session, stanza);
  } else if (link.session && link.link.is_resumable()) {
    link.kept.push_back(stanza);
  }
}

void FocusHost::open(StreamId stream) {
  const Duration delay = between(std::chrono::milliseconds{1}, std::chrono::milliseconds{60});
  schedule_.after(delay, [this, stream, number = process_number_] {
    if (!process_ || number != process_number_) {
      return;
    }
    LinkPeer& link = peer(stream);
    const bool resumable = link.link.is_resumable();
    std::vector<Input> inputs;
    if (resumable && resume(link)) {
      link.link.up({.bound_jid = link.bound, .resumed = true}, inputs);
      feed_all(inputs);
      return;
    }
    const Jid address = address_of(stream, deployment_);
    link.session = server_.open(link, address, resumable);
    if (!link.session) {
      link.went_down();
      return;
    }
    link.up = true;
    link.bound = address;
    link.kept.clear();
    if (stream == StreamId::kClient) {
      link.heard = 0;
      link.journal.session_began(address, resumable ? std::to_string(*link.session) : "");
    }
    link.link.up({.bound_jid = address, .resumed = false}, inputs);
    feed_all(inputs);
  });
}

/// The session of this process, or that of the process before: what it had stored and not sent is
/// sent now.
bool FocusHost::resume(LinkPeer& link) {
  const auto stored = durable_.links.find(StreamId::kClient);
  const bool inherits =
      !link.session && stored != durable_.links.end() && !stored->second.link.resume_id.empty();
  if (!link.session && !inherits) {
    return false;
  }
  const SessionId session = inherits ? std::stoull(stored->second.link.resume_id) : *link.session;
  const std::uint64_t handled = inherits ? stored->second.handled : link.heard;
  const auto sent = server_.resume(session, link, handled);
  if (!sent) {
    return false;
  }
  link.up = true;
  for (const xml::Element& stanza : std::exchange(link.kept, {})) {
    server_.send(session, stanza);
  }
  if (inherits) {
    link.session = session;
    link.bound = stored->second.link.bare.with_resource(stored->second.link.resource);
    link.heard = handled;
    std::vector<std::string> unsent;
    for (const auto& [index, stanza] : stored->second.unacked) {
      if (index > *sent) {
        unsent.push_back(stanza.xml);
      }
    }
    link.journal.session_inherited(*sent + unsent.size());
    transmit(unsent);
  }
  return true;
}

}  // namespace bascule::sim
