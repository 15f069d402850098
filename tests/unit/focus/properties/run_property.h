#pragma once

#include <functional>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/unit/focus/properties/world.h"

namespace bascule::focus::properties {

/// Runs `property` on generated values and shrinks what fails; the message holds the simplest
/// failing value, the output of the program a string to reproduce it. Without RC_PARAMS the seed is
/// that of the test's name, so that a build does not fail by chance; `RC_PARAMS="seed=1
/// max_success=2000"` looks further.
void run_property(const rc::detail::Property& property, int cases);

template <class Testable>
void check_property(Testable testable, int cases = 100) {
  run_property(rc::detail::toProperty(std::move(testable)), cases);
}

/// Every check of World on histories of the theme, and that those of `number` were made at all.
void check_histories(const Theme& theme, const char* number, int cases = 100,
                     const std::function<void(World&)>& afterwards = {});

}  // namespace bascule::focus::properties
