#include "daemon/socket_holder.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace bascule::daemon {
namespace {

constexpr const char* kStoredName = "xmpp-client";

/// Under `bascule --supervise` (daemon/supervisor.h).
class ParentHolder final : public SocketHolder {
 public:
  explicit ParentHolder(int channel) : channel_(channel) {}
  ~ParentHolder() override { ::close(channel_); }
  ParentHolder(const ParentHolder&) = delete;
  ParentHolder& operator=(const ParentHolder&) = delete;

  void hold(int socket) override { tell(kHold, socket); }
  void drop() override { tell(kDrop, -1); }

 private:
  // A parent that cannot be told costs the convenience, never the service: the session is resumed
  // out of hibernation as well.
  void tell(char what, int socket) const {
    iovec bytes{.iov_base = &what, .iov_len = 1};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    if (socket >= 0) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(header), &socket, sizeof socket);
    }
    (void)::sendmsg(channel_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  int channel_;
};

/// Under systemd with FileDescriptorStoreMax.
class ServiceManagerHolder final : public SocketHolder {
 public:
  explicit ServiceManagerHolder(boost::asio::io_context& io) : timer_(io) {
    char** names = nullptr;
    const int count = sd_listen_fds_with_names(1, &names);
    for (int i = 0; i < count; ++i) {
      if (names != nullptr && std::string_view(names[i]) == kStoredName) {
        inherited_.push_back(SD_LISTEN_FDS_START + i);
      }
      std::free(names == nullptr ? nullptr : names[i]);
    }
    std::free(names);
    if (!inherited_.empty()) {
      timer_.expires_after(kHoldMax);
      timer_.async_wait([this](auto error) {
        if (!error) {
          drop();
        }
      });
    }
  }
  ~ServiceManagerHolder() override { close_inherited(); }
  ServiceManagerHolder(const ServiceManagerHolder&) = delete;
  ServiceManagerHolder& operator=(const ServiceManagerHolder&) = delete;

  void hold(int socket) override {
    drop();
    (void)sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=xmpp-client\nFDPOLL=0", &socket, 1);
  }
  void drop() override {
    timer_.cancel();
    (void)sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=xmpp-client");
    close_inherited();
  }

 private:
  void close_inherited() {
    for (const int descriptor : std::exchange(inherited_, {})) {
      ::close(descriptor);
    }
  }

  boost::asio::steady_timer timer_;
  std::vector<int> inherited_;  // Of the process before; also systemd keeps them.
};

}  // namespace

std::unique_ptr<SocketHolder> SocketHolder::from_environment(boost::asio::io_context& io) {
  if (const char* text = std::getenv(kHolderVariable)) {
    const std::string_view digits(text);
    int channel = -1;
    std::from_chars(digits.data(), digits.data() + digits.size(), channel);
    ::unsetenv(kHolderVariable);
    // Not for programs that we start.
    if (channel >= 0 && ::fcntl(channel, F_SETFD, FD_CLOEXEC) == 0) {
      return std::make_unique<ParentHolder>(channel);
    }
  }
  if (std::getenv("NOTIFY_SOCKET") != nullptr) {
    return std::make_unique<ServiceManagerHolder>(io);
  }
  return nullptr;
}

}  // namespace bascule::daemon
