#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace bascule {

/// An XMPP address (RFC 7622): [localpart@]domainpart[/resourcepart].
///
/// The resource begins at the first slash and may itself contain '@' and '/': the addresses that
/// `mod_client_proxy` makes look like `focus.example.net/user@example.net/res`. Localpart and
/// domain are folded to lower case (ASCII) so that equal addresses compare equal; Prosody has
/// already applied stringprep to everything it routes.
class Jid {
 public:
  Jid() = default;  ///< The empty address: no domain. `parse` never returns it.

  /// Errors: kMalformed when the domain is empty, a part is longer than 1023 bytes, or the
  /// localpart or domain holds a character RFC 7622 3.3.1 forbids.
  static Result<Jid> parse(std::string_view text);

  [[nodiscard]] const std::string& local() const { return local_; }
  [[nodiscard]] const std::string& domain() const { return domain_; }
  [[nodiscard]] const std::string& resource() const { return resource_; }
  [[nodiscard]] bool empty() const { return domain_.empty(); }
  [[nodiscard]] bool is_bare() const { return resource_.empty(); }

  [[nodiscard]] Jid bare() const;
  [[nodiscard]] bool has_same_bare(const Jid& other) const {
    return local_ == other.local_ && domain_ == other.domain_;
  }
  [[nodiscard]] Jid with_resource(std::string_view resource) const;
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const Jid&, const Jid&) = default;

 private:
  // In this order for comparison: rooms of one server differ in the localpart, and all occupants of
  // a room stand together.
  std::string local_;
  std::string domain_;
  std::string resource_;
};

/// Addresses whose role the type tells; both wrap a Jid.
template <class Tag>
class TypedJid {
 public:
  TypedJid() = default;
  explicit TypedJid(Jid jid) : jid_(std::move(jid)) {}
  [[nodiscard]] const Jid& jid() const { return jid_; }
  [[nodiscard]] std::string to_string() const { return jid_.to_string(); }
  [[nodiscard]] bool empty() const { return jid_.empty(); }
  friend auto operator<=>(const TypedJid&, const TypedJid&) = default;

 private:
  Jid jid_;
};

using RoomJid = TypedJid<struct RoomJidTag>;          ///< Bare: room@service.
using OccupantJid = TypedJid<struct OccupantJidTag>;  ///< Full: room@service/nick.
using BridgeJid = TypedJid<struct BridgeJidTag>;      ///< Full: brewery@service/nick.

}  // namespace bascule
