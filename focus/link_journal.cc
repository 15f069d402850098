#include "focus/link_journal.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/check.h"

namespace bascule::focus {

void LinkJournal::session_began(const Jid& bound, std::string resume_id) {
  ++session_;
  is_durable_ = !resume_id.empty();
  begun_ = Begun{.bound = bound, .resume_id = std::move(resume_id)};
  heard_ = heard_stored_ = 0;
  said_ = confirmed_stored_ = 0;
}

void LinkJournal::session_inherited(std::uint64_t said) {
  is_durable_ = true;
  said_ = said;
}

void LinkJournal::heard(std::uint64_t number) {
  heard_ = std::max(heard_, number);
}

void LinkJournal::reply(std::string text) {
  push(std::move(text), true);
}

void LinkJournal::say(std::optional<std::string> text) {
  push(std::move(text), false);
}

void LinkJournal::push(std::optional<std::string> text, bool is_reply) {
  if (text && is_durable_) {
    pushes_.emplace_back(
        op::OutboundPush{.stream = stream_, .index = ++said_, .stanza_id = {}, .xml = *text});
  }
  waiting_.push_back({.session = session_, .text = std::move(text), .is_reply = is_reply});
}

void LinkJournal::append_to_commit(std::uint64_t confirmed, WallTime now,
                                   std::vector<Operation>& operations) {
  if (const auto begun = std::exchange(begun_, std::nullopt)) {
    operations.emplace_back(op::LinkSet{.stream = stream_,
                                        .bare = begun->bound.bare(),
                                        .resource = begun->bound.resource(),
                                        .resume_id = begun->resume_id,
                                        .established = now});
  }
  if (is_durable_ && heard_ > heard_stored_) {
    heard_stored_ = heard_;
    operations.emplace_back(op::InboundHandled{.stream = stream_, .handled = heard_});
  }
  std::move(pushes_.begin(), pushes_.end(), std::back_inserter(operations));
  pushes_.clear();
  // Not worth a commit of its own.
  if (is_durable_ && confirmed > confirmed_stored_ && !operations.empty()) {
    confirmed_stored_ = confirmed;
    operations.emplace_back(op::OutboundAck{.stream = stream_, .acknowledged = confirmed});
  }
}

void LinkJournal::turn_ended(std::uint64_t turn) {
  for (auto said = waiting_.rbegin(); said != waiting_.rend() && said->turn == 0; ++said) {
    said->turn = turn;
  }
}

void LinkJournal::take_front(std::vector<std::string>& out) {
  Said front = std::move(waiting_.front());
  waiting_.pop_front();
  if (front.text && front.session == session_) {
    out.push_back(std::move(*front.text));
  }
}

std::vector<std::string> LinkJournal::take_for_action() {
  std::vector<std::string> out = take_replies(std::numeric_limits<std::uint64_t>::max());
  BASCULE_CHECK(!waiting_.empty());
  take_front(out);
  return out;
}

std::vector<std::string> LinkJournal::take_replies(std::uint64_t released_turn) {
  std::vector<std::string> out;
  while (!waiting_.empty() && waiting_.front().is_reply && waiting_.front().turn != 0 &&
         waiting_.front().turn <= released_turn) {
    take_front(out);
  }
  return out;
}

void persist_first(std::vector<Operation>& operations, Actions& actions) {
  if (operations.empty()) {
    return;
  }
  Actions all;
  all.reserve(operations.size() + actions.size());
  for (Operation& operation : operations) {
    all.emplace_back(out::Persist{std::move(operation)});
  }
  std::move(actions.begin(), actions.end(), std::back_inserter(all));
  actions = std::move(all);
}

}  // namespace bascule::focus
