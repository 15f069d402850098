#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/jid.h"
#include "config/layers.h"
#include "ctl/doctor/finding.h"
#include "ctl/doctor/peer.h"

namespace bascule::ctl::doctor {

class Running;

/// Whether somebody else speaks for a component now: to connect beside it could end its link
/// (component_conflict_resolve), so that is never tried.
enum class Occupancy : std::uint8_t { kFree, kTaken, kUnknown };

/// A bridge in the brewery, as far as presence or the running bascule tell.
struct SeenBridge {
  std::string nick;
  bool has_stats = false;
  std::optional<Duration> age;  ///< Of its last report; unknown with filtered stats.
  std::string version;          ///< Empty: not told.
};
/// What the brewery looks like from here.
struct SeenBrewery {
  std::vector<SeenBridge> bridges;
  std::string source;                         ///< Who told.
  std::optional<proto::StanzaError> refusal;  ///< The room refused us.
  std::string unknown;                        ///< Not empty: why it could not be looked at.
  bool made = false;                          ///< There was no such room before us.
};

/// What the checks share. Everything is found out when the first check asks for it, and once.
class Examination {
 public:
  struct Place {
    std::string config_file;
    std::string root;  ///< Where unit files are looked for: a prefix, empty for this system.
    std::string version;
  };
  Examination(Place place,
              tl::expected<config::LoadedConfig, std::vector<config::ConfigError>> loaded,
              std::unique_ptr<Running> running);
  ~Examination();

  const Place& place() const { return place_; }
  /// The configuration; only for checks that need one.
  const config::Config& config() const { return loaded_->config; }
  const tl::expected<config::LoadedConfig, std::vector<config::ConfigError>>& loaded() const {
    return loaded_;
  }
  boost::asio::io_context& io() { return *io_; }

  // The running bascule.

  bool is_running();
  /// Whether the running one says that this problem is there.
  bool has_problem(std::string_view name);
  Running& running() { return *running_; }
  /// The process that uses the state directory, when it is on this host and we may see it.
  std::optional<pid_t> process();

  // The XMPP server.

  /// A login of the focus's account under a name of our own. It never sends presence but to rooms,
  /// so that mod_client_proxy does not learn of it. nullptr: `client_failure` says why.
  Peer* client();
  const xmpp::Down& client_failure() const { return *client_failure_; }
  /// Says so, and gives nullptr, when nobody could log in.
  Peer* need_client(Finding& finding);
  /// The identity of the service link: its component while nobody else is it, or its account.
  /// nullptr: not to be had.
  Peer* service();
  const std::optional<xmpp::Down>& service_failure() const { return service_failure_; }
  Occupancy occupancy(const Jid& component);
  const SeenBrewery& brewery();

 private:
  SeenBrewery look_at_brewery();
  SeenBrewery ask_for_bridges();
  /// Who may ask others whether they are there.
  Peer* prober();

  Place place_;
  tl::expected<config::LoadedConfig, std::vector<config::ConfigError>> loaded_;
  std::unique_ptr<Running> running_;
  std::unique_ptr<boost::asio::io_context> io_;
  std::string resource_;
  bool client_tried_ = false;
  std::unique_ptr<Peer> client_;
  std::optional<xmpp::Down> client_failure_;
  bool service_tried_ = false;
  std::unique_ptr<Peer> service_;
  std::optional<xmpp::Down> service_failure_;
  bool anonymous_tried_ = false;
  std::unique_ptr<Peer> anonymous_;
  std::map<Jid, Occupancy> occupancies_;
  std::optional<SeenBrewery> brewery_;
};

}  // namespace bascule::ctl::doctor
