#pragma once

#include <array>
#include <string_view>

/// What is fuzzed. A target reads one input, whatever it is, and ends the process (BASCULE_CHECK)
/// when a promise of the code below it is broken; a refusal is no finding. The same input always
/// does the same.
namespace bascule::fuzz {

/// xml::StreamParser. The input is the text of a stream, then, after the last NUL byte, the sizes
/// of the pieces in which it arrives.
void run_xml_stream(std::string_view input);

/// proto's Jingle codec, focus::JingleSession and focus::ConferenceSourceMap. The input is an IQ,
/// or an element with IQs in it: what the participants of one conference send one after the other.
void run_jingle(std::string_view input);

/// Every decoder of JSON. The input is the JSON text.
void run_json(std::string_view input);

/// Every codec of a stanza. The input is one stanza, or an element around several.
void run_stanza(std::string_view input);

struct Target {
  std::string_view name;
  void (*run)(std::string_view input);
};

inline constexpr std::array<Target, 4> kTargets = {{{"xml_stream", &run_xml_stream},
                                                    {"jingle", &run_jingle},
                                                    {"json", &run_json},
                                                    {"stanza", &run_stanza}}};

}  // namespace bascule::fuzz
