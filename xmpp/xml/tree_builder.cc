#include "xmpp/xml/tree_builder.h"

#include <limits>
#include <utility>

#include "base/check.h"

namespace bascule::xml {
namespace {

/// Separates namespace and name in what expat reports. XML 1.0 allows it in no document.
constexpr char kSeparator = '\f';
constexpr const char* kEncoding = "UTF-8";  // RFC 6120 11.6; overrides the XML declaration.
constexpr std::string_view kXmlNamespace = "http://www.w3.org/XML/1998/namespace";
constexpr std::string_view kXmlPrefix = "xml:";
/// Every element has its own copy of the namespace: without a limit one long name multiplies.
constexpr std::size_t kNamespaceBytesMax = 256;

struct ExpandedName {
  std::string_view ns;
  std::string_view name;
};

ExpandedName split(std::string_view expanded) {
  const auto separator = expanded.find(kSeparator);
  if (separator == std::string_view::npos) {
    return {.ns = {}, .name = expanded};
  }
  return {.ns = expanded.substr(0, separator), .name = expanded.substr(separator + 1)};
}

}  // namespace

TreeBuilder::TreeBuilder(ParseLimits limits)
    : limits_(limits), parser_(XML_ParserCreateNS(kEncoding, kSeparator)) {
  BASCULE_CHECK(parser_ != nullptr);
}

TreeBuilder::Status TreeBuilder::begin(std::string_view context) {
  BASCULE_CHECK(XML_ParserReset(parser_.get(), kEncoding) == XML_TRUE);
  XML_SetUserData(parser_.get(), this);
  XML_SetElementHandler(parser_.get(), &on_start, &on_end);
  XML_SetCharacterDataHandler(parser_.get(), &on_text);
  XML_SetStartDoctypeDeclHandler(parser_.get(), &on_doctype);
  XML_SetCommentHandler(parser_.get(), &on_comment);
  XML_SetProcessingInstructionHandler(parser_.get(), &on_instruction);
  open_.clear();
  root_.reset();
  elements_ = 0;
  status_ = Status::kMore;
  reason_.clear();
  skip_context_ = !context.empty();
  return context.empty() ? status_ : feed(context);
}

TreeBuilder::Status TreeBuilder::feed(std::string_view bytes) {
  return parse(bytes, false);
}

TreeBuilder::Status TreeBuilder::finish() {
  const Status status = parse({}, true);
  if (status == Status::kMore) {
    stop(Status::kMalformed, "no element");
  }
  return status_;
}

Element TreeBuilder::take() {
  if (root_) {
    return std::move(*root_);
  }
  return open_.empty() ? Element{} : std::move(open_.front());
}

TreeBuilder::Status TreeBuilder::parse(std::string_view bytes, bool is_final) {
  BASCULE_CHECK(bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  const XML_Status result =
      XML_Parse(parser_.get(), bytes.data(), static_cast<int>(bytes.size()), is_final ? 1 : 0);
  if (result != XML_STATUS_OK && status_ != Status::kOverLimit && status_ != Status::kMalformed) {
    stop(Status::kMalformed, XML_ErrorString(XML_GetErrorCode(parser_.get())));
  }
  return status_;
}

void TreeBuilder::start(std::string_view name, const XML_Char** attributes) {
  if (status_ != Status::kMore) {
    return;  // expat may report the rest of a token after it was told to stop.
  }
  if (skip_context_) {
    skip_context_ = false;
    return;
  }
  const auto [element_ns, element_name] = split(name);
  Element element;
  element.name = element_name;
  bool is_within_limits = true;
  if (element_ns.size() > kNamespaceBytesMax) {
    is_within_limits = false;
    stop(Status::kOverLimit, "namespace name too long");
  } else {
    element.ns = element_ns;
  }
  for (; is_within_limits && *attributes != nullptr; attributes += 2) {
    if (element.attributes.size() == limits_.attributes) {
      is_within_limits = false;
      stop(Status::kOverLimit, "too many attributes");
      break;
    }
    const auto [attribute_ns, attribute_name] = split(attributes[0]);
    if (attribute_ns.empty()) {
      element.attributes.emplace_back(attribute_name, attributes[1]);
    } else if (attribute_ns == kXmlNamespace) {
      element.attributes.emplace_back(std::string(kXmlPrefix) += attribute_name, attributes[1]);
    }
  }
  if (++elements_ > limits_.elements) {
    stop(Status::kOverLimit, "too many elements");
  } else if (open_.size() > limits_.depth) {
    stop(Status::kOverLimit, "too many levels");
  }
  open_.push_back(std::move(element));
}

void TreeBuilder::end() {
  if (open_.empty() || status_ != Status::kMore) {
    return;  // The context's own end tag, or what follows a stop.
  }
  Element element = std::move(open_.back());
  open_.pop_back();
  if (open_.empty()) {
    root_ = std::move(element);
    status_ = Status::kComplete;
  } else {
    open_.back().add(std::move(element));
  }
}

void TreeBuilder::stop(Status status, std::string reason) {
  if (status_ == Status::kOverLimit || status_ == Status::kMalformed) {
    return;
  }
  status_ = status;
  reason_ = std::move(reason);
  XML_StopParser(parser_.get(), XML_FALSE);
}

void TreeBuilder::on_start(void* self, const XML_Char* name, const XML_Char** attributes) {
  static_cast<TreeBuilder*>(self)->start(name, attributes);
}

void TreeBuilder::on_end(void* self, const XML_Char* /*name*/) {
  static_cast<TreeBuilder*>(self)->end();
}

void TreeBuilder::on_text(void* self, const XML_Char* text, int length) {
  auto* builder = static_cast<TreeBuilder*>(self);
  if (!builder->open_.empty() && builder->status_ == Status::kMore) {
    builder->open_.back().text.append(text, static_cast<std::size_t>(length));
  }
}

void TreeBuilder::on_doctype(void* self, const XML_Char* /*name*/, const XML_Char* /*system_id*/,
                             const XML_Char* /*public_id*/, int /*has_internal_subset*/) {
  static_cast<TreeBuilder*>(self)->stop(Status::kMalformed, "DOCTYPE");
}

void TreeBuilder::on_comment(void* self, const XML_Char* /*text*/) {
  static_cast<TreeBuilder*>(self)->stop(Status::kMalformed, "comment");
}

void TreeBuilder::on_instruction(void* self, const XML_Char* /*target*/, const XML_Char* /*data*/) {
  static_cast<TreeBuilder*>(self)->stop(Status::kMalformed, "processing instruction");
}

}  // namespace bascule::xml
