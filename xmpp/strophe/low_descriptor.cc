#include "xmpp/strophe/low_descriptor.h"

#include <fcntl.h>
#include <sys/select.h>
#include <unistd.h>

namespace bascule::xmpp::strophe {

LowDescriptor::~LowDescriptor() {
  if (reserved_ >= 0) {
    ::close(reserved_);
  }
}

bool LowDescriptor::lower(int& descriptor) {
  if (descriptor < FD_SETSIZE) {
    return true;
  }
  if (reserved_ < 0 || ::dup3(descriptor, reserved_, O_CLOEXEC) < 0) {
    return false;
  }
  ::close(descriptor);
  descriptor = reserved_;
  reserved_ = -1;
  return true;
}

void LowDescriptor::reserve() {
  if (reserved_ >= 0) {
    return;
  }
  // The kernel hands out the lowest free number.
  reserved_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (reserved_ >= FD_SETSIZE) {
    ::close(reserved_);
    reserved_ = -1;
  }
}

}  // namespace bascule::xmpp::strophe
