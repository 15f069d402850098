#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}  // namespace CLI

namespace bascule::ctl::manual {

/// One manual page in man(7), built from top to bottom. Text is escaped; a blank line in a text
/// begins a paragraph.
class Page {
 public:
  /// `date`: 2026-11-29; `source`: "bascule 0.1.0".
  Page(std::string_view name, int section, std::string_view date, std::string_view source);

  Page& heading(std::string_view title);
  Page& subheading(std::string_view title);
  Page& text(std::string_view text);
  /// A term in bold with what it means, indented.
  Page& item(std::string_view term, std::string_view text);
  /// "bridges(1), bascule(8)": the section SEE ALSO.
  Page& see_also(std::string_view pages);
  [[nodiscard]] const std::string& str() const { return page_; }

 private:
  std::string page_;
};

/// Options and values of one command.
void add_options(Page& page, const CLI::App& command);
/// The same of every command below it, each under its name.
void add_commands(Page& page, const CLI::App& command, const std::string& above);

/// What is written for bascule.toml(5): every key with default, range, variables and help.
void add_keys(Page& page);

}  // namespace bascule::ctl::manual
