#include "focus/member_features.h"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/evp.h>

#include "base/check.h"

namespace bascule::focus {
namespace {

constexpr std::string_view kSha1 = "sha-1";

std::string sha1_base64(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  BASCULE_CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) ==
                1);
  std::array<unsigned char, 4 * (EVP_MAX_MD_SIZE + 2) / 3 + 1> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
  return {encoded.begin(), encoded.begin() + length};
}

void append_form(std::string& text, const proto::DataForm& form) {
  std::vector<proto::FormField> fields = form.fields;
  std::sort(fields.begin(), fields.end(),
            [](const auto& left, const auto& right) { return left.var < right.var; });
  text += std::string(form.value("FORM_TYPE").value_or("")) + '<';
  for (auto& field : fields) {
    if (field.var == "FORM_TYPE") {
      continue;
    }
    text += field.var + '<';
    std::sort(field.values.begin(), field.values.end());
    for (const auto& value : field.values) {
      text += value + '<';
    }
  }
}

/// Empty when the answer must not be shared.
std::string key_of(const std::optional<proto::Caps>& caps) {
  return caps && caps->hash == kSha1 && !caps->ver.empty() ? caps->node + '#' + caps->ver
                                                           : std::string();
}

}  // namespace

std::string caps_verification(const proto::DiscoInfo& info) {
  std::vector<std::string> identities;
  for (const auto& identity : info.identities) {
    identities.push_back(identity.category + '/' + identity.type + "//" +
                         identity.name.value_or("") + '<');
  }
  std::sort(identities.begin(), identities.end());
  std::vector<std::string> features = info.features;
  std::sort(features.begin(), features.end());
  std::vector<proto::DataForm> forms = info.forms;
  std::sort(forms.begin(), forms.end(), [](const auto& left, const auto& right) {
    return left.value("FORM_TYPE").value_or("") < right.value("FORM_TYPE").value_or("");
  });
  std::string text;
  for (const auto& identity : identities) {
    text += identity;
  }
  for (const auto& feature : features) {
    text += feature + '<';
  }
  for (const auto& form : forms) {
    append_form(text, form);
  }
  return sha1_base64(text);
}

std::optional<Features> MemberFeatures::find_or_ask(const Member& member, Turn& turn) {
  const std::string key = key_of(member.caps);
  if (key.empty()) {
    ask(member, key, turn);
    return std::nullopt;
  }
  if (const auto found = known_.find(key); found != known_.end()) {
    ++turn.counters().disco_shared;
    ++found->second.members;
    return found->second.features;
  }
  const auto [entry, first] = waiting_.try_emplace(key);
  if (first) {
    ask(member, key, turn);
  } else {
    entry->second.push_back(member);
  }
  return std::nullopt;
}

void MemberFeatures::ask(const Member& member, const std::string& key, Turn& turn) {
  ++turn.counters().disco_asked;
  proto::DiscoInfoRequest request;
  if (member.caps) {
    request.node = member.caps->node + '#' + member.caps->ver;
  }
  turn.send_iq({.purpose = IqPurpose::kMemberDisco,
                .stream = StreamId::kClient,
                .conference = member.conference,
                .participant = member.participant,
                .text = key},
               member.occupant.jid(), std::move(request), turn.options().disco_timeout);
}

std::vector<MemberFeatures::Found> MemberFeatures::on_answer(const IqNote& note,
                                                             const IqOutcome& outcome, Turn& turn) {
  const auto* info = outcome ? std::get_if<proto::DiscoInfo>(&*outcome) : nullptr;
  const Features features =
      info != nullptr ? Features::from_disco(info->features) : Features::assumed();
  if (info == nullptr) {
    ++turn.counters().disco_failed;
  }
  std::vector<Found> found{{note.conference, note.participant, features}};
  const auto entry = note.text.empty() ? waiting_.end() : waiting_.find(note.text);
  if (entry == waiting_.end()) {
    return found;
  }
  const std::vector<Member> others = std::move(entry->second);
  waiting_.erase(entry);
  const std::string ver = note.text.substr(note.text.rfind('#') + 1);
  if (info != nullptr && caps_verification(*info) == ver) {
    if (known_.size() >= kCacheMax) {
      known_.clear();
    }
    known_.emplace(note.text, CapsSeen{others.size() + 1, features});
    for (const auto& member : others) {
      ++turn.counters().disco_shared;
      found.push_back({member.conference, member.participant, features});
    }
    return found;
  }
  // Nobody else's answer can be used for them: each speaks for itself.
  for (const auto& member : others) {
    ask(member, {}, turn);
  }
  return found;
}

}  // namespace bascule::focus
