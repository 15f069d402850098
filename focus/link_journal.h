#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/jid.h"
#include "base/time.h"
#include "focus/action.h"
#include "focus/operation.h"

namespace bascule::focus {

/// What the next process must know of a link to continue its session (XEP-0198, ADR 0014): what was
/// heard, and what was said. Both belong into the commit of the turn that heard and said it, so the
/// stanzas of such a link are made when their turn ends and leave, in the same order, when the
/// output gate lets their actions out.
class LinkJournal {
 public:
  explicit LinkJournal(StreamId stream) : stream_(stream) {}

  /// A session without a past; what was prepared in an older one is never sent. An empty
  /// `resume_id` says that nobody can continue it.
  void session_began(const Jid& bound, std::string resume_id);
  /// The session of the process before goes on. `said`: stanzas of it that the server has, or gets
  /// from the outbox: perhaps more than were stored.
  void session_inherited(std::uint64_t said);
  /// The session is, or will be with the next commit, known to the next process.
  [[nodiscard]] bool is_durable() const { return is_durable_; }

  /// Inbound stanzas are numbered from 1 within a session.
  void heard(std::uint64_t number);
  /// The link itself answers something; leaves with the turn that is to come.
  void reply(std::string text);
  /// For the next action of the ending turn that is a stanza of this link; nullopt: it could not be
  /// made. To be called for each of them, in order.
  void say(std::optional<std::string> text);

  /// Appends what changed to the operations of the ending turn. `confirmed`: how many stanzas of
  /// the session the server has confirmed.
  void append_to_commit(std::uint64_t confirmed, WallTime now, std::vector<Operation>& operations);
  void turn_ended(std::uint64_t turn);

  /// What leaves for the next action: its stanza, and the replies before it.
  std::vector<std::string> take_for_action();
  /// Replies of turns up to this one that no action follows.
  std::vector<std::string> take_replies(std::uint64_t released_turn);

 private:
  struct Said {
    std::uint64_t session = 0;
    std::optional<std::string> text;
    bool is_reply = false;
    std::uint64_t turn = 0;  // 0: has not ended.
  };
  struct Begun {
    Jid bound;
    std::string resume_id;
  };
  void push(std::optional<std::string> text, bool is_reply);
  void take_front(std::vector<std::string>& out);

  StreamId stream_;
  std::uint64_t session_ = 0;   // Counts sessions of this process.
  std::optional<Begun> begun_;  // Not stored yet.
  bool is_durable_ = false;
  std::uint64_t heard_ = 0;             // Stanzas of the session,
  std::uint64_t heard_stored_ = 0;      // of these known to the store.
  std::uint64_t said_ = 0;              // Stanzas of the session made so far,
  std::uint64_t confirmed_stored_ = 0;  // of these confirmed, as the store knows.
  std::deque<Said> waiting_;
  std::vector<Operation> pushes_;  // Of the ending turn.
};

/// Puts the operations before the actions of their turn: nothing of it leaves before they are
/// stored, or a process that ends in between would hear the same again and say the same again.
void persist_first(std::vector<Operation>& operations, Actions& actions);

}  // namespace bascule::focus
