#pragma once

#include <cstddef>

namespace bascule::xmpp {

/// Whether so many bytes, written to this TCP socket now, leave this machine at once: the window of
/// the peer and that of congestion have room for them behind what is on its way. Why this matters:
/// when a process is killed while it has unread input, the kernel resets the connection and throws
/// away what it has not sent yet, in the middle of a stanza. True also when they will never fit
/// (more than the whole window, with nothing on its way), and when the kernel does not tell.
[[nodiscard]] bool leaves_at_once(int socket, std::size_t bytes);

}  // namespace bascule::xmpp
