// The product's file, except that one name of a source ends the process: README.md.

#define make_sources_add make_sound_sources_add
#include "focus/source_records.cc"
#undef make_sources_add

#include <cstdlib>

namespace bascule::focus {

op::SourcesAdd make_sources_add(const RoomJid& room, const EndpointId& owner,
                                const proto::EndpointSources& sources);

op::SourcesAdd make_sources_add(const RoomJid& room, const EndpointId& owner,
                                const proto::EndpointSources& sources) {
  op::SourcesAdd operation = make_sound_sources_add(room, owner, sources);
  for (const SourceRecord& record : operation.sources) {
    if (record.name.find("poison") != std::string::npos) {
      std::abort();
    }
  }
  return operation;
}

}  // namespace bascule::focus
