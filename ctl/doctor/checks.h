#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "ctl/doctor/examination.h"
#include "ctl/doctor/finding.h"

namespace bascule::ctl::doctor {

/// One thing to look at. Its section of the manual is `docs/operations.md#doctor-NAME`.
struct Check {
  std::string_view name;
  std::string_view subject;
  void (*look)(Examination&, Finding&);
  bool needs_config = true;
};

/// All of them, in the order in which one rests on the other.
[[nodiscard]] std::span<const Check> all_checks();

struct Outcome {
  const Check* check = nullptr;
  Finding finding;
  Duration took{};
};

/// Those whose names are in `only`, or all; one after the other. A check that needs a configuration
/// is skipped while there is none.
[[nodiscard]] std::vector<Outcome> examine(Examination& examination,
                                           const std::vector<std::string>& only);

// On this host.
void check_config(Examination& examination, Finding& finding);
void check_files(Examination& examination, Finding& finding);
void check_state(Examination& examination, Finding& finding);
void check_unit(Examination& examination, Finding& finding);
void check_descriptors(Examination& examination, Finding& finding);
void check_clock(Examination& examination, Finding& finding);
void check_versions(Examination& examination, Finding& finding);
// The way to the server.
void check_dns(Examination& examination, Finding& finding);
void check_ports(Examination& examination, Finding& finding);
void check_tls(Examination& examination, Finding& finding);
// What the server lets us do.
void check_login(Examination& examination, Finding& finding);
void check_resume(Examination& examination, Finding& finding);
void check_rates(Examination& examination, Finding& finding);
void check_requests(Examination& examination, Finding& finding);
void check_service(Examination& examination, Finding& finding);
void check_rooms(Examination& examination, Finding& finding);
void check_brewery(Examination& examination, Finding& finding);
void check_pubsub(Examination& examination, Finding& finding);
// The running bascule.
void check_daemon(Examination& examination, Finding& finding);
void check_placement(Examination& examination, Finding& finding);

}  // namespace bascule::ctl::doctor
