// A unit of its own: <linux/tcp.h> knows more of tcp_info than <netinet/tcp.h>, and excludes it.

#include "xmpp/stream/send_window.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace bascule::xmpp {

bool leaves_at_once(int socket, std::size_t bytes) {
  tcp_info info{};
  socklen_t length = sizeof info;
  constexpr std::size_t kNeeded = offsetof(tcp_info, tcpi_snd_wnd) + sizeof info.tcpi_snd_wnd;
  int on_its_way = 0;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 || length < kNeeded ||
      ioctl(socket, SIOCOUTQ, &on_its_way) != 0 || on_its_way == 0) {
    return true;
  }
  const std::uint64_t congestion = std::uint64_t{info.tcpi_snd_cwnd} * info.tcpi_snd_mss;
  const std::uint64_t window = std::min<std::uint64_t>(info.tcpi_snd_wnd, congestion);
  return static_cast<std::uint64_t>(on_its_way) + bytes <= window;
}

}  // namespace bascule::xmpp
