#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <expat.h>

#include "base/result.h"
#include "xmpp/xml/element.h"
#include "xmpp/xml/parser.h"

namespace bascule::xml {

/// Builds one element tree with expat, within limits (all but `bytes`, which the caller counts).
/// Internal to this folder.
///
/// One builder serves many trees: expat interns every element and attribute name it has ever seen,
/// so a parser that lives as long as a stream would grow without bound; `begin` empties it.
class TreeBuilder {
 public:
  explicit TreeBuilder(ParseLimits limits);
  TreeBuilder(const TreeBuilder&) = delete;
  TreeBuilder& operator=(const TreeBuilder&) = delete;
  ~TreeBuilder() = default;

  enum class Status {
    kMore,       ///< Well-formed so far.
    kComplete,   ///< The tree's end tag was read; `take` returns it.
    kOverLimit,  ///< `reason` says which; `take` returns the root as far as it was built.
    kMalformed,  ///< `reason` says why.
  };

  /// Starts a tree inside the element that `context` opens (a start tag), or a document of its own
  /// when `context` is empty.
  Status begin(std::string_view context);
  /// Must not be called after anything but kMore.
  Status feed(std::string_view bytes);
  /// No more bytes follow.
  Status finish();

  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] Element take();

 private:
  struct Free {
    void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
  };

  static void on_start(void* self, const XML_Char* name, const XML_Char** attributes);
  static void on_end(void* self, const XML_Char* name);
  static void on_text(void* self, const XML_Char* text, int length);
  static void on_doctype(void* self, const XML_Char* name, const XML_Char* system_id,
                         const XML_Char* public_id, int has_internal_subset);
  static void on_comment(void* self, const XML_Char* text);
  static void on_instruction(void* self, const XML_Char* target, const XML_Char* data);

  Status parse(std::string_view bytes, bool is_final);
  void start(std::string_view name, const XML_Char** attributes);
  void end();
  void stop(Status status, std::string reason);

  ParseLimits limits_;
  std::unique_ptr<XML_ParserStruct, Free> parser_;
  std::vector<Element> open_;  ///< From the root to the innermost open element.
  std::optional<Element> root_;
  std::size_t elements_ = 0;
  bool skip_context_ = false;
  Status status_ = Status::kMore;
  std::string reason_;
};

}  // namespace bascule::xml
