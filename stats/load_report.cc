#include "stats/load_report.h"

#include "base/time_text.h"

namespace bascule::stats {

std::string_view to_string(Damage damage) {
  switch (damage) {
    case Damage::kMissing:
      return "missing";
    case Damage::kForeign:
      return "foreign";
    case Damage::kTooNew:
      return "too-new";
    case Damage::kUnreadable:
      return "unreadable";
    case Damage::kStructure:
      return "structure";
    case Damage::kRecord:
      return "record";
    case Damage::kChain:
      return "chain";
    case Damage::kRolledBack:
      return "rolled-back";
  }
  return "unknown";
}

std::string_view action_for(Damage damage) {
  switch (damage) {
    case Damage::kMissing:
      return "a new file was begun";
    case Damage::kForeign:
    case Damage::kTooNew:
      return "the file was kept aside unread, a new one was begun";
    case Damage::kUnreadable:
      return "the file was kept aside when it could be moved, a new one was begun";
    case Damage::kStructure:
    case Damage::kRecord:
    case Damage::kChain:
      return "what is sound was copied to a new file, the damaged one was kept aside";
    case Damage::kRolledBack:
      return "the file goes on from where it ends";
  }
  return "unknown";
}

std::string to_text(const Finding& finding) {
  return finding.file + " " + std::string(to_string(finding.damage)) + ": " + finding.detail +
         "; lost: " + (finding.lost ? std::to_string(*finding.lost) + " records" : "unknown") +
         ", since " + (finding.since ? bascule::to_text(*finding.since) : "unknown") + "; " +
         std::string(action_for(finding.damage));
}

}  // namespace bascule::stats
