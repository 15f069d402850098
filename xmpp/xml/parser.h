#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::xml {

/// Limits of one stanza. A stanza over a limit is discarded as a whole; the stream goes on.
struct ParseLimits {
  std::size_t bytes = std::size_t{512} * 1024;  ///< Of the stanza as received, markup included.
  std::size_t depth = 64;                       ///< Levels below the stanza itself.
  std::size_t elements = 20'000;                ///< The stanza and everything below it.
  std::size_t attributes = 64;                  ///< Of one element.
};

/// One whole document. An attribute in a namespace other than `xml:` is dropped. Errors: kMalformed
/// (not well-formed, DOCTYPE, comment, processing instruction, a namespace name longer than 256
/// bytes, or over a limit).
Result<Element> parse(std::string_view text, ParseLimits limits = {});

/// The stream header arrived: the root element without children.
struct StreamOpened {
  Element header;
};
/// A complete child of the root.
struct StanzaParsed {
  Element stanza;
};
/// A stanza over a limit was skipped to its end. `head` has its name and attributes, no children,
/// so that it can be answered; only the name, when the start tag itself was over a limit.
struct StanzaRejected {
  Element head;
  std::string reason;
};
/// `</stream:stream>`.
struct StreamClosed {};

using StreamEvent = std::variant<StreamOpened, StanzaParsed, StanzaRejected, StreamClosed>;

/// Incremental parser of one XMPP stream (RFC 6120 4, 11). Memory is bounded by the limits whatever
/// the peer sends and however long the stream lives; time is linear in the bytes, however they are
/// cut. A rejected stanza is skipped without a check that its tags match.
class StreamParser {
 public:
  explicit StreamParser(ParseLimits limits = {});
  ~StreamParser();
  StreamParser(StreamParser&&) noexcept;
  StreamParser& operator=(StreamParser&&) noexcept;
  StreamParser(const StreamParser&) = delete;
  StreamParser& operator=(const StreamParser&) = delete;

  /// Appends what `bytes` completed. Errors: kMalformed when the stream is not well-formed, uses
  /// restricted XML (RFC 6120 11.1) or has text between stanzas: it cannot be continued after that,
  /// and every further call returns the same error. Events before the error are delivered.
  Result<> feed(std::string_view bytes, std::vector<StreamEvent>& events);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bascule::xml
