#include <optional>

#include "base/check.h"
#include "tests/fuzz/stanzas.h"
#include "tests/fuzz/targets.h"
#include "tests/proto/recode.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace bascule::fuzz {

void run_stanza(std::string_view input) {
  for (const xml::Element& stanza : read_stanzas(input)) {
    const auto recoded = proto::recode_stanza(stanza);
    if (!recoded) {
      BASCULE_CHECK(recoded.error().code == Errc::kMalformed && !recoded.error().what.empty());
      continue;
    }
    // The canonical form is a fixed point, also through its text.
    const auto read = xml::parse(xml::to_string(*recoded));
    BASCULE_CHECK(read.has_value());
    const auto again = proto::recode_stanza(*read);
    BASCULE_CHECK(again.has_value());
    BASCULE_CHECK(*again == *recoded);
  }
}

}  // namespace bascule::fuzz
