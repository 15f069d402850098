#include "base/version.h"

namespace bascule {

const char* const kVersion = BASCULE_VERSION;
const char* const kRevision = BASCULE_REVISION;

}  // namespace bascule
