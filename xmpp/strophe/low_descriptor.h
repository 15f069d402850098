#pragma once

namespace bascule::xmpp::strophe {

/// Keeps one descriptor below FD_SETSIZE open and in reserve. libstrophe waits with `select(2)`,
/// which cannot watch higher numbers and aborts the process when it is made to (glibc, fortified).
class LowDescriptor {
 public:
  LowDescriptor() { reserve(); }
  ~LowDescriptor();
  LowDescriptor(const LowDescriptor&) = delete;
  LowDescriptor& operator=(const LowDescriptor&) = delete;

  /// Moves `descriptor` to the reserved number when `select` could not watch it where it is.
  /// Returns false when that was needed and no low number was in reserve.
  [[nodiscard]] bool lower(int& descriptor);

  /// Takes a low number into reserve again; to be called as soon as the lowered one was closed.
  void reserve();

 private:
  int reserved_ = -1;
};

}  // namespace bascule::xmpp::strophe
