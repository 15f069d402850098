#include "tests/unit/focus/properties/run_property.h"

#include <cstdlib>
#include <sstream>
#include <string>

#include "rapidcheck/detail/Configuration.h"

namespace bascule::focus::properties {

void run_property(const rc::detail::Property& property, int cases) {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  rc::detail::TestMetadata metadata;
  metadata.id = std::string(info->test_suite_name()) + "/" + info->name();
  metadata.description = info->name();
  std::ostringstream message;
  bool passed = false;
  const auto note = [&](const rc::detail::TestResult& result) {
    passed = result.is<rc::detail::SuccessResult>();
    rc::detail::printResultMessage(result, message);
  };
  if (std::getenv("RC_PARAMS") != nullptr) {
    note(rc::detail::checkProperty(property, metadata));
  } else {
    rc::detail::TestParams params = rc::detail::configuration().testParams;
    params.seed = 14'695'981'039'346'656'037ULL;  // FNV-1a: the same everywhere.
    for (const char c : metadata.id) {
      params.seed = (params.seed ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ULL;
    }
    params.maxSuccess = cases;
    note(rc::detail::checkProperty(property, metadata, params));
  }
  EXPECT_TRUE(passed) << message.str();
}

void check_histories(const Theme& theme, const char* number, int cases,
                     const std::function<void(World&)>& afterwards) {
  Evaluated evaluated;
  check_property(
      [&] {
        const History history = *histories(theme);
        World world(history.setup, evaluated);
        world.run(history.commands);
        if (afterwards) {
          afterwards(world);
        }
      },
      cases);
  EXPECT_GT(evaluated[number], 0U) << "never looked at";
}

}  // namespace bascule::focus::properties
