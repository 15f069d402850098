// In this program a violated BASCULE_CHECK throws: rapidcheck then counts it as a failure of the
// history and shrinks it, where an abort would only leave a core. The linker prefers this
// definition to the one in the library.

#include <stdexcept>
#include <string>

#include "base/check.h"

namespace bascule {

void check_failed(const char* expression, const char* file, int line) {
  throw std::logic_error(std::string("BASCULE_CHECK ") + expression + " in " + file + ":" +
                         std::to_string(line));
}

}  // namespace bascule
