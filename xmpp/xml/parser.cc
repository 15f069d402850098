// How a stream is read. A scanner that knows just enough XML to see where tags, references and text
// begin and end cuts the bytes into whole tokens and counts levels; each stanza is then built by
// expat as a document of its own inside the stream header. That gives three things expat alone does
// not: an incomplete token is scanned once and not once per arriving piece, a stanza over a limit
// can be skipped to its end without storing anything, and the names expat interns are forgotten
// with every stanza, so that a link that lives for months does not grow.

#include "xmpp/xml/parser.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "xmpp/xml/tree_builder.h"

namespace bascule::xml {
namespace {

using Status = TreeBuilder::Status;

/// The longest reference RFC 6120 11.1 leaves is "&#x10FFFF;"; some room for leading zeros.
constexpr std::size_t kReferenceBytesMax = 16;
constexpr std::size_t kDeclarationBytesMax = 256;
constexpr std::string_view kCdataStart = "<![CDATA[";
constexpr std::string_view kCdataEnd = "]]>";
constexpr std::string_view kSpace = " \t\r\n";

/// Where the scanner is.
enum class State {
  kText,
  kReference,
  kTag,
  kSingleQuoted,
  kDoubleQuoted,
  kBang,  ///< After "<!": the start of CDATA, or forbidden.
  kCdata,
  kDeclaration,
  kClosed,
};

/// The local part of the name in a start tag that could not be kept.
std::string name_in_tag(std::string_view tag) {
  tag.remove_prefix(1);
  auto name = tag.substr(0, tag.find_first_of(" \t\r\n/>"));
  const auto colon = name.find(':');
  return std::string(colon == std::string_view::npos ? name : name.substr(colon + 1));
}

}  // namespace

Result<Element> parse(std::string_view text, ParseLimits limits) {
  if (text.size() > limits.bytes) {
    return fail(Errc::kMalformed, "too many bytes");
  }
  TreeBuilder builder(limits);
  Status status = builder.begin({});
  status = builder.feed(text);
  if (status == Status::kMore || status == Status::kComplete) {
    status = builder.finish();
  }
  if (status != Status::kComplete) {
    return fail(Errc::kMalformed, builder.reason());
  }
  return builder.take();
}

class StreamParser::Impl {
 public:
  explicit Impl(ParseLimits limits) : limits_(limits), builder_(limits) {}

  Result<> feed(std::string_view bytes, std::vector<StreamEvent>& events) {
    events_ = &events;
    while (!bytes.empty() && !failure_) {
      bytes.remove_prefix(step(bytes));
    }
    events_ = nullptr;
    if (failure_) {
      return fail(Errc::kMalformed, *failure_);
    }
    return {};
  }

 private:
  /// Consumes part of `bytes`, at least one byte; returns how many.
  std::size_t step(std::string_view bytes) {
    switch (state_) {
      case State::kText:
        return step_text(bytes);
      case State::kReference:
        return step_reference(bytes);
      case State::kTag:
        return step_tag(bytes);
      case State::kSingleQuoted:
        return step_quoted(bytes, "'<");
      case State::kDoubleQuoted:
        return step_quoted(bytes, "\"<");
      case State::kBang:
        return step_bang(bytes);
      case State::kCdata:
        return step_cdata(bytes);
      case State::kDeclaration:
        return step_declaration(bytes);
      case State::kClosed:
        return step_closed(bytes);
    }
    return bytes.size();
  }

  std::size_t step_text(std::string_view bytes) {
    const std::size_t end = std::min(bytes.find_first_of("<&"), bytes.size());
    if (end > 0) {
      text(bytes.substr(0, end));
      return end;
    }
    if (bytes[0] == '&') {
      if (levels_ <= 1) {
        malformed("text between stanzas");
        return 1;
      }
      state_ = State::kReference;
    } else {
      state_ = State::kTag;
    }
    token_size_ = 0;
    token_.clear();
    tag_is_end_ = false;
    last_byte_ = bytes[0];
    brackets_ = 0;
    hold(bytes.substr(0, 1));
    return 1;
  }

  std::size_t step_reference(std::string_view bytes) {
    hold(bytes.substr(0, 1));
    if (token_size_ > kReferenceBytesMax) {
      malformed("reference too long");
    } else if (bytes[0] == ';') {
      state_ = State::kText;
      emit_token();
    }
    return 1;
  }

  std::size_t step_tag(std::string_view bytes) {
    if (token_size_ == 1 && bytes[0] == '!') {
      state_ = State::kBang;
      hold(bytes.substr(0, 1));
      return 1;
    }
    if (token_size_ == 1 && bytes[0] == '?') {
      // Only the XML declaration, only in front of everything else (RFC 6120 11.5).
      if (levels_ != 0 || is_prolog_over_) {
        malformed("processing instruction");
      }
      state_ = State::kDeclaration;
      hold(bytes.substr(0, 1));
      return 1;
    }
    if (token_size_ == 1) {
      tag_is_end_ = bytes[0] == '/';
    }
    const std::size_t end = std::min(bytes.find_first_of("'\"<>"), bytes.size());
    if (end > 0) {
      last_byte_ = bytes[end - 1];
      hold(bytes.substr(0, end));
      return end;
    }
    switch (bytes[0]) {
      case '\'':
        state_ = State::kSingleQuoted;
        break;
      case '"':
        state_ = State::kDoubleQuoted;
        break;
      case '<':
        malformed("'<' in a tag");
        break;
      default: {
        const bool is_empty_element = last_byte_ == '/' && !tag_is_end_ && token_size_ > 2;
        hold(bytes.substr(0, 1));
        state_ = State::kText;
        tag(is_empty_element);
        return 1;
      }
    }
    last_byte_ = bytes[0];
    hold(bytes.substr(0, 1));
    return 1;
  }

  std::size_t step_quoted(std::string_view bytes, std::string_view stops) {
    const std::size_t end = std::min(bytes.find_first_of(stops), bytes.size());
    if (end > 0) {
      hold(bytes.substr(0, end));
      return end;
    }
    if (bytes[0] == '<') {
      malformed("'<' in an attribute");
      return 1;
    }
    hold(bytes.substr(0, 1));
    state_ = State::kTag;
    return 1;
  }

  std::size_t step_bang(std::string_view bytes) {
    if (levels_ <= 1 || bytes[0] != kCdataStart[token_size_]) {
      malformed("comment, DOCTYPE or text between stanzas");
      return 1;
    }
    hold(bytes.substr(0, 1));
    if (token_size_ == kCdataStart.size()) {
      state_ = State::kCdata;
      cdata_matched_ = 0;
      emit_token();
    }
    return 1;
  }

  std::size_t step_cdata(std::string_view bytes) {
    std::size_t end = 0;
    while (end < bytes.size() && cdata_matched_ < kCdataEnd.size()) {
      const char c = bytes[end++];
      if (c == kCdataEnd[cdata_matched_]) {
        ++cdata_matched_;
      } else if (c != ']') {
        cdata_matched_ = 0;
      } else {
        cdata_matched_ = std::min<std::size_t>(cdata_matched_, 2);
      }
    }
    if (cdata_matched_ == kCdataEnd.size()) {
      state_ = State::kText;
    }
    build_text(bytes.substr(0, end));
    return end;
  }

  std::size_t step_declaration(std::string_view bytes) {
    hold(bytes.substr(0, 1));
    if (token_size_ > kDeclarationBytesMax) {
      malformed("XML declaration too long");
    } else if (bytes[0] == '>') {
      is_prolog_over_ = true;
      state_ = State::kText;
      judge_declaration();
    }
    return 1;
  }

  /// expat judges a declaration once it has seen its end; of another end it would wait for more.
  void judge_declaration() {
    Status status = builder_.begin({});
    status = builder_.feed(token_);
    if (status == Status::kMalformed) {
      malformed(builder_.reason());
    } else if (!token_.ends_with("?>")) {
      malformed("XML declaration without end");
    }
  }

  std::size_t step_closed(std::string_view bytes) {
    if (bytes.find_first_not_of(kSpace) != std::string_view::npos) {
      malformed("bytes after the end of the stream");
    }
    return bytes.size();
  }

  void text(std::string_view bytes) {
    if (levels_ > 1) {
      check_cdata_end(bytes);
      build_text(bytes);
      return;
    }
    if (bytes.find_first_not_of(kSpace) != std::string_view::npos) {
      malformed("text between stanzas");
    } else if (levels_ == 0) {
      is_prolog_over_ = true;
    }
  }

  /// "]]>" must not stand in text (XML 1.0 2.4). expat overlooks it when it arrives in pieces.
  void check_cdata_end(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '>' && brackets_ == 2) {
        malformed("']]>' in text");
      }
      brackets_ = c == ']' ? std::min(brackets_ + 1, 2) : 0;
    }
  }

  /// Appends to the current token. Nothing is stored of a stanza that is being skipped.
  void hold(std::string_view bytes) {
    token_size_ += bytes.size();
    if (skip_reason_) {
      return;
    }
    token_ += bytes;
    const std::size_t held = (levels_ > 1 ? stanza_bytes_ : 0) + token_.size();
    if (held <= limits_.bytes) {
      return;
    }
    if (levels_ == 0 || (levels_ == 1 && tag_is_end_)) {
      malformed("stream header or end too long");
    } else if (levels_ == 1) {
      rejected_head_ = Element{.name = name_in_tag(token_), .ns = default_ns_};
      skip("too many bytes");
    } else {
      skip("too many bytes");
    }
  }

  void count(std::size_t bytes) {
    if (skip_reason_) {
      return;
    }
    stanza_bytes_ += bytes;
    if (stanza_bytes_ > limits_.bytes) {
      skip("too many bytes");
    }
  }

  /// From here to its end the stanza is only scanned.
  void skip(std::string reason) {
    if (skip_reason_) {
      return;
    }
    skip_reason_ = std::move(reason);
    if (!rejected_head_) {
      rejected_head_ = builder_.take();
      rejected_head_->children.clear();
      rejected_head_->text.clear();
    }
    token_.clear();
    token_.shrink_to_fit();
  }

  void build(std::string_view bytes) {
    if (skip_reason_ || failure_) {
      return;
    }
    judge(builder_.feed(bytes));
  }

  /// Of text that crosses the limit the part below it is judged, so that the verdict is the same
  /// however the text is cut.
  void build_text(std::string_view bytes) {
    if (!skip_reason_) {
      build(bytes.substr(0, limits_.bytes - stanza_bytes_));
    }
    count(bytes.size());
  }

  void judge(Status status) {
    if (status == Status::kOverLimit) {
      skip(builder_.reason());
    } else if (status == Status::kMalformed) {
      malformed(builder_.reason());
    }
  }

  void emit_token() {
    count(token_size_);
    build(token_);
    token_.clear();
  }

  /// A complete tag is in `token_` (or was skipped).
  void tag(bool is_empty_element) {
    if (levels_ == 0) {
      open_stream(is_empty_element);
      return;
    }
    if (levels_ == 1 && tag_is_end_) {
      close_stream();
      return;
    }
    if (levels_ == 1 && !skip_reason_) {
      stanza_bytes_ = 0;
      judge(builder_.begin(header_));
    }
    if (tag_is_end_) {
      --levels_;
    } else if (!is_empty_element) {
      ++levels_;
    }
    emit_token();
    if (levels_ == 1 && !failure_) {
      end_stanza();
    }
  }

  void open_stream(bool is_empty_element) {
    if (tag_is_end_) {
      malformed("end tag without start tag");
      return;
    }
    judge(builder_.begin({}));
    build(token_);
    if (skip_reason_ || failure_) {
      malformed("stream header over a limit");
      return;
    }
    header_ = std::exchange(token_, {});
    Element header = builder_.take();
    default_ns_ = find_default_namespace();
    events_->push_back(StreamOpened{.header = std::move(header)});
    levels_ = 1;
    if (is_empty_element) {
      state_ = State::kClosed;
      events_->push_back(StreamClosed{});
    }
  }

  /// What an element without prefix gets in this stream: asked of expat, with a probe.
  std::string find_default_namespace() {
    builder_.begin(header_);
    builder_.feed("<probe/>");
    return builder_.take().ns;
  }

  void close_stream() {
    judge(builder_.begin(header_));
    build(token_);
    if (!failure_) {
      state_ = State::kClosed;
      events_->push_back(StreamClosed{});
    }
  }

  void end_stanza() {
    if (skip_reason_) {
      events_->push_back(
          StanzaRejected{.head = std::move(*rejected_head_), .reason = std::move(*skip_reason_)});
    } else {
      events_->push_back(StanzaParsed{.stanza = builder_.take()});
    }
    skip_reason_.reset();
    rejected_head_.reset();
  }

  void malformed(std::string reason) {
    if (!failure_) {
      failure_ = std::move(reason);
    }
  }

  ParseLimits limits_;
  TreeBuilder builder_;
  std::vector<StreamEvent>* events_ = nullptr;  ///< Of the running `feed` only.

  State state_ = State::kText;
  std::size_t levels_ = 0;  ///< Open elements, the root included.
  bool is_prolog_over_ = false;

  std::string token_;  ///< The tag, reference or declaration that is not complete yet.
  std::size_t token_size_ = 0;
  bool tag_is_end_ = false;
  char last_byte_ = '\0';  ///< Of the tag so far.
  std::size_t cdata_matched_ = 0;
  int brackets_ = 0;  ///< ']' at the end of the text so far, at most 2.

  std::string header_;  ///< The start tag of the stream, as received.
  std::string default_ns_;
  std::size_t stanza_bytes_ = 0;
  std::optional<std::string> skip_reason_;  ///< Set while a stanza is being skipped.
  std::optional<Element> rejected_head_;
  std::optional<std::string> failure_;
};

StreamParser::StreamParser(ParseLimits limits) : impl_(std::make_unique<Impl>(limits)) {
}
StreamParser::~StreamParser() = default;
StreamParser::StreamParser(StreamParser&&) noexcept = default;
StreamParser& StreamParser::operator=(StreamParser&&) noexcept = default;

Result<> StreamParser::feed(std::string_view bytes, std::vector<StreamEvent>& events) {
  return impl_->feed(bytes, events);
}

}  // namespace bascule::xml
