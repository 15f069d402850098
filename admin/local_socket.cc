#include "admin/local_socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bascule::admin {
namespace {

using boost::system::error_code;
using Protocol = boost::asio::local::stream_protocol;

constexpr mode_t kMode = 0660;
constexpr std::size_t kGroupsMax = 1024;

tl::unexpected<Error> cannot_listen(const std::string& path, const error_code& error) {
  return fail(Errc::kUnavailable, "cannot listen on " + path + ": " + error.message());
}

error_code last_error() {
  return {errno, boost::system::system_category()};
}

bool is_in_group(int socket, gid_t primary, gid_t group) {
  if (primary == group) {
    return true;
  }
  std::array<gid_t, kGroupsMax> groups{};
  socklen_t size = sizeof groups;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) {
    return false;
  }
  const auto end = groups.begin() + static_cast<std::ptrdiff_t>(size / sizeof(gid_t));
  return std::find(groups.begin(), end, group) != end;
}

}  // namespace

Result<> LocalSocket::listen(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
    return fail(Errc::kRefused, "cannot listen on " + path + ": something else is there");
  }
  // Made under another name: nobody finds it before its rights are right, and taking over the name
  // leaves no moment without a socket.
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  error_code error;
  acceptor_.open(Protocol(), error);
  if (!error) {
    acceptor_.bind(Protocol::endpoint(fresh), error);
  }
  if (!error && ::chmod(fresh.c_str(), kMode) != 0) {
    error = last_error();
  }
  if (!error) {
    acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
  }
  if (!error &&
      (::lstat(fresh.c_str(), &status) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0)) {
    error = last_error();
  }
  if (error) {
    ::unlink(fresh.c_str());
    close();
    return cannot_listen(path, error);
  }
  path_ = path;
  device_ = status.st_dev;
  inode_ = status.st_ino;
  group_ = status.st_gid;
  return {};
}

void LocalSocket::close() {
  error_code ignored;
  acceptor_.close(ignored);
  struct stat status {};
  if (!path_.empty() && ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ &&
      status.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
  path_.clear();
}

Peer LocalSocket::peer_of(int socket) const {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  Peer peer{.is_local = true};
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    peer.address = "socket:unknown";
    return peer;
  }
  peer.address = "socket:" + std::to_string(credentials.uid);
  // The mode of the file says the same; but somebody may have changed it.
  peer.may_do_all = credentials.uid == 0 || credentials.uid == ::geteuid() ||
                    is_in_group(socket, credentials.gid, group_);
  return peer;
}

}  // namespace bascule::admin
