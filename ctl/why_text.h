#pragma once

#include <string>

#include "ctl/text.h"

namespace bascule::ctl {

/// What the name of a placement rule means (focus/ticket.h); an unknown one is shown as it is.
std::string rule_meaning(const std::string& rule);
/// The same of a reason to wait.
std::string wait_meaning(const std::string& reason);

/// One decision in sentences, with the candidates and their numbers as they were.
std::string decision_text(const Json& decision, const Style& style);

/// Why people are where they are, from the answer of /v1/decisions: of one endpoint its last
/// decision in full and the ones before it in a line each; of a room the last one of everybody.
std::string why_text(const Json& decisions, bool one_endpoint, const Style& style);

}  // namespace bascule::ctl
