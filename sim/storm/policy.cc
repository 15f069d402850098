#include "sim/storm/policy.h"

#include "base/check.h"
#include "sim/storm/bascule_policy.h"
#include "sim/storm/baseline_policies.h"

namespace bascule::sim::storm {

std::string_view to_string(PolicyId policy) {
  switch (policy) {
    case PolicyId::kNaive:
      return "naive";
    case PolicyId::kRandom:
      return "random";
    case PolicyId::kTwoChoices:
      return "p2c";
    case PolicyId::kJicofo:
      return "jicofo";
    case PolicyId::kJicofoRelay:
      return "jicofo-relay";
    case PolicyId::kJicofoLimited:
      return "jicofo-limited";
    case PolicyId::kJicofoRedistribution:
      return "jicofo-redistribution";
    case PolicyId::kBascule:
      return "bascule";
    case PolicyId::kBasculeRelay:
      return "bascule-relay";
  }
  BASCULE_CHECK(false && "enumerator out of range");
}

bool has_memory(PolicyId policy) {
  return policy == PolicyId::kBascule || policy == PolicyId::kBasculeRelay;
}

std::unique_ptr<Policy> make_policy(PolicyId id, const PolicySetup& setup) {
  switch (id) {
    case PolicyId::kNaive:
    case PolicyId::kRandom:
    case PolicyId::kTwoChoices:
      return make_pinning_policy(id, setup);
    case PolicyId::kJicofo:
    case PolicyId::kJicofoRelay:
    case PolicyId::kJicofoLimited:
    case PolicyId::kJicofoRedistribution:
      return make_jicofo_policy(id, setup);
    case PolicyId::kBascule:
    case PolicyId::kBasculeRelay:
      return make_bascule_policy(id, setup);
  }
  BASCULE_CHECK(false && "enumerator out of range");
}

}  // namespace bascule::sim::storm
