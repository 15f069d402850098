#pragma once

#include <string>
#include <vector>

#include "ctl/context.h"

namespace bascule::ctl {

/// What may stand where somebody is typing.
struct Completion {
  struct Word {
    std::string word;
    std::string text;  ///< A line about it; may be empty.
  };
  /// What else may stand there, for which somebody has to be asked.
  enum class More { kNothing, kFiles, kBridges, kRooms };

  std::vector<Word> words;
  More more = More::kNothing;
  std::string prefix;     ///< What is typed already of the value; behind the '=' of an option.
  std::string attached;   ///< `--option=`, which the shell wants repeated before each value.
  Connection connection;  ///< As the options on the line say.
};

/// Reads the tree of commands. `words`: the line behind the name of the program; the last one is
/// being typed.
Completion complete(const CLI::App& cli, const std::vector<std::string>& words);

/// What the scripts of the shells call: prints a line `WORD<tab>TEXT` per word, ":files" where
/// names of files belong; names of bridges and rooms are asked of the daemon, which has 2 s.
/// Returns the exit status.
int print_completion(const std::vector<std::string>& words);

/// `completion SHELL`: prints the script for bash, zsh or fish.
void add_completion(CLI::App& cli, Context& context);

}  // namespace bascule::ctl
