// The entry points libFuzzer looks for, around the one target this program is built for.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "tests/fuzz/targets.h"

namespace {

const bascule::fuzz::Target& this_target() {
  for (const bascule::fuzz::Target& target : bascule::fuzz::kTargets) {
    if (target.name == BASCULE_FUZZ_TARGET) {
      return target;
    }
  }
  bascule::check_failed("no such target", __FILE__, __LINE__);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bascule::fuzz::Target& target = this_target();
  target.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
