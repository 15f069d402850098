#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/socket_holder.h"
#include "focus/link.h"
#include "focus/link_journal.h"
#include "xmpp/transport.h"

namespace bascule::daemon {

/// One link of the running daemon: the core `focus::Link` on a transport. Passes what happens to
/// the event loop as inputs and keeps count of what may be acknowledged to the server.
class LinkRuntime final : public xmpp::TransportListener {
 public:
  /// `token`: of an input that came from a stanza, never the same again; `consumed` wants it back.
  /// 0: of another one.
  using Enqueue = std::function<void(focus::Input, std::uint64_t token)>;
  /// `wake` asks the loop for a turn although there is no input: a stanza wants acknowledging.
  LinkRuntime(focus::LinkOptions options, Enqueue enqueue, std::function<void()> wake);

  /// Called once, before anything else; the transport reports to this object.
  void attach(std::unique_ptr<xmpp::Transport> transport) { transport_ = std::move(transport); }

  /// nullptr: with nobody. Only of a link that can be resumed.
  void keep_socket_with(SocketHolder* holder) { holder_ = link_.is_resumable() ? holder : nullptr; }

  void open() { transport_->open(); }
  void close() { transport_->close(); }
  /// The stanza that an action wants on this link leaves now.
  void send(const focus::Action& action, Now now);
  void fire_timers(Now now);
  [[nodiscard]] std::optional<Instant> next_deadline() const { return link_.next_deadline(); }

  /// A link that can be resumed is continued by the next process, which must know what was said.
  /// So its stanzas are made when the turn that wants them ends, not when they leave: `prepare` for
  /// each action of the turn, in order, then `append_durable`; `send` takes them in the same order.
  void prepare(const focus::Action& action, Now now);
  /// Appends what a new process must know, as far as it changed: belongs into the commit of this
  /// turn, so that the server is never told that a stanza is handled which the store does not
  /// count.
  void append_durable(std::vector<focus::Operation>& operations, WallTime now);
  /// The focus has handled this input. In order.
  void consumed(std::uint64_t token);
  /// The stanzas consumed so far belong to this turn of the loop.
  void end_turn(std::uint64_t turn);
  /// Everything up to this turn has left. The stanzas behind the turns up to `durable` may be
  /// acknowledged.
  void released(std::uint64_t turn, std::uint64_t durable);

  [[nodiscard]] bool is_up() const { return is_up_; }
  /// Another process could go on with the session.
  [[nodiscard]] bool can_be_continued() const { return is_up_ && journal_.is_durable(); }
  [[nodiscard]] const focus::Link& link() const { return link_; }
  [[nodiscard]] std::size_t queued_bytes() const { return transport_->queued_bytes(); }

  void on_up(const xmpp::Up& up) override;
  void on_down(const xmpp::Down& down) override;
  void on_stanza(xml::Element stanza, std::uint64_t sequence) override;
  void on_rejected(const xml::Element& head, const std::string& reason,
                   std::uint64_t sequence) override;

 private:
  struct Unreleased {
    std::uint64_t turn;
    std::uint64_t sequence;
  };
  struct Unhandled {
    std::uint64_t token;
    std::uint64_t sequence;
  };
  void enqueue(std::vector<focus::Input>& inputs, std::uint64_t sequence = 0);
  /// Every stanza of the session up to this number has been handled by the focus, or needs nothing
  /// of it.
  [[nodiscard]] std::uint64_t settled() const;
  void reply(const std::vector<xml::Element>& replies);
  [[nodiscard]] std::optional<std::string> to_text(const xml::Element& stanza);
  void send_all(std::vector<std::string> texts);

  focus::Link link_;
  Enqueue enqueue_;
  std::function<void()> wake_;
  std::unique_ptr<xmpp::Transport> transport_;
  SocketHolder* holder_ = nullptr;
  bool is_up_ = false;
  std::uint64_t received_ = 0;       // Highest sequence of the session.
  std::uint64_t acknowledged_ = 0;   // Of these, to the transport, now or with a turn.
  std::deque<Unhandled> unhandled_;  // Inputs of stanzas that wait for a turn, in order.
  std::uint64_t last_token_ = 0;
  std::vector<Unreleased> unreleased_;
  focus::LinkJournal journal_;  // Of a link that can be resumed.
};

}  // namespace bascule::daemon
