#include "daemon/access_files.h"

#include <cstdlib>
#include <string>
#include <string_view>

#include "config/schema.h"
#include "daemon/clock.h"

namespace bascule::daemon {

using focus::NoteLevel;

void default_admin_socket(config::LoadedConfig& loaded) {
  const char* text = std::getenv("RUNTIME_DIRECTORY");
  const auto index = config::find_key("admin.unix-socket");
  if (text == nullptr || !index ||
      loaded.origins[*index].source != config::Origin::Source::kDefault) {
    return;
  }
  const std::string_view directories(text);  // One or more, with ':' between them.
  const std::string path =
      std::string(directories.substr(0, directories.find(':'))) + "/admin.sock";
  (void)config::keys()[*index].field.assign(loaded.config, config::RawValue(path));
}

Result<std::shared_ptr<admin::Access>> open_access(const config::Admin& admin, LogSink& log) {
  auto access = admin::Access::open({.tokens_file = admin.tokens_file,
                                     .tls_certificate = admin.tls_certificate,
                                     .tls_key = admin.tls_key,
                                     .trusted_hosts = admin.trusted_hosts});
  if (access) {
    (*access)->on_denial(
        [&log](admin::Denial denial, const admin::Peer& peer, const admin::HttpRequest& request) {
          log.write({.level = NoteLevel::kWarn,
                     .event = "access.denied",
                     .fields = {{"reason", std::string(admin::name_of(denial))},
                                {"peer", peer.address},
                                {"name", request.principal.name},
                                {"request", request.request_id}}},
                    read_clocks());
        });
  }
  return access;
}

void reload_access(admin::Access& access, LogSink& log) {
  for (const admin::Access::Reloaded& reloaded : access.reload()) {
    if (reloaded.outcome) {
      log.write({.level = NoteLevel::kInfo,
                 .event = "access.reloaded",
                 .fields = {{"file", reloaded.file}}},
                read_clocks());
    } else {
      log.write({.level = NoteLevel::kError,
                 .event = "access.reload_failed",
                 .fields = {{"file", reloaded.file}, {"reason", reloaded.outcome.error().what}}},
                read_clocks());
    }
  }
}

}  // namespace bascule::daemon
