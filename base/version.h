#pragma once

namespace bascule {

/// Of the release: "0.1.0".
extern const char* const kVersion;
/// Of the source: `git describe` of the checkout when it was configured, of the package when it was
/// built from one, else the version again.
extern const char* const kRevision;

}  // namespace bascule
