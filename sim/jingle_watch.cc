#include "sim/jingle_watch.h"

#include <algorithm>
#include <utility>

#include "sim/source_knowledge.h"

namespace bascule::sim {
namespace {

using proto::JingleAction;

bool has_sources(const proto::Jingle& jingle) {
  return std::any_of(jingle.contents.begin(), jingle.contents.end(), [](const auto& content) {
    return content.description &&
           (!content.description->sources.empty() || !content.description->source_groups.empty());
  });
}

}  // namespace

std::string_view to_string(Ask ask) {
  switch (ask) {
    case Ask::kAccept:
      return "session-accept";
    case Ask::kRestart:
      return "request for a restart";
    case Ask::kAddScreen:
      return "source-add";
    case Ask::kRemoveScreen:
      return "source-remove";
    case Ask::kInvalid:
      return "invalid source request";
    case Ask::kIceRestart:
      return "request for an ICE restart";
    case Ask::kTransport:
      return "transport-info";
  }
  return "request";
}

void JingleWatch::asked(std::string id, Asked what) {
  const auto session = sessions_.find(what.sid);
  if (session != sessions_.end() && session->second != Session::kOver) {
    if (what.ask == Ask::kAccept) {
      session->second = Session::kAccepted;
    } else if (what.ask == Ask::kRestart) {
      session->second = Session::kLeaving;
    }
  }
  waiting_.emplace(std::move(id), std::move(what));
}

std::optional<Asked> JingleWatch::answered(const std::string& id) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) {
    complaints_.push_back(done_.contains(id) ? "a second answer to " + id
                                             : "an answer to nothing: " + id);
    return std::nullopt;
  }
  Asked what = std::move(found->second);
  waiting_.erase(found);
  done_.insert(id);
  if (what.ask == Ask::kRestart) {
    sessions_[what.sid] = Session::kOver;  // The focus knows now.
  }
  return what;
}

void JingleWatch::received(const proto::Jingle& jingle) {
  switch (jingle.action) {
    case JingleAction::kSessionInitiate:
      if (!sessions_.emplace(jingle.sid, Session::kOffered).second) {
        complaints_.push_back("a second offer with sid " + jingle.sid);
      }
      check_offer(jingle);
      break;
    case JingleAction::kSessionTerminate:
      // After a link was lost the focus repeats it: the first may not have arrived.
      sessions_[jingle.sid] = Session::kOver;
      break;
    default:
      check_signaling(jingle);
      break;
  }
}

void JingleWatch::check_offer(const proto::Jingle& offer) {
  if (kind_.json && has_sources(offer)) {
    complaints_.emplace_back("an offer with sources in contents to a client that reads JSON");
  }
  if (!kind_.json && offer.json_message) {
    complaints_.emplace_back("an offer with JSON to a client that does not read it");
  }
  for (const proto::Content& content : offer.contents) {
    if (!kind_.video && content.name == "video") {
      complaints_.emplace_back("video offered to a client without");
    }
  }
  const auto sources = sources_in(offer);
  if (!sources) {
    complaints_.push_back("sources of the offer: " + sources.error().what);
    return;
  }
  for (const auto& [owner, set] : *sources) {
    if (kind_.ssrc_rewriting && owner.value() != kBridgeOwner) {
      complaints_.push_back("sources of " + owner.value() +
                            " offered to a client whose bridge rewrites");
    }
    if (!kind_.video && (!set.video.empty() || !set.video_groups.empty())) {
      complaints_.emplace_back("video sources offered to a client without video");
    }
  }
}

void JingleWatch::check_signaling(const proto::Jingle& jingle) {
  const std::string what(proto::to_string(jingle.action));
  const auto session = sessions_.find(jingle.sid);
  if (session == sessions_.end()) {
    complaints_.push_back(what + " for a session it never had: " + jingle.sid);
    return;
  }
  if (session->second == Session::kOver) {
    complaints_.push_back(what + " for a session that is over: " + jingle.sid);
  } else if (session->second == Session::kOffered) {
    complaints_.push_back(what + " before the session is accepted: " + jingle.sid);
  }
  if (jingle.action != JingleAction::kSourceAdd && jingle.action != JingleAction::kSourceRemove) {
    return;
  }
  if (kind_.ssrc_rewriting) {
    complaints_.push_back(what + " to a client whose bridge rewrites");
  }
  if (kind_.json != jingle.json_message.has_value() || kind_.json == has_sources(jingle)) {
    complaints_.push_back(what + " in the form it does not read");
  }
  if (const auto sources = sources_in(jingle); !sources) {
    complaints_.push_back(what + ": " + sources.error().what);
  }
}

}  // namespace bascule::sim
