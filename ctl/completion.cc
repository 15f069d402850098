#include "ctl/completion.h"

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <string_view>

#include <CLI/CLI.hpp>

#include "ctl/cli.h"
#include "ctl/text.h"

namespace bascule::ctl {
namespace {

constexpr std::chrono::seconds kAnswerTimeout{2};

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

/// The option with this name of the command or of one above it.
const CLI::Option* find_option(const CLI::App* app, const std::string& name) {
  for (; app != nullptr; app = app->get_parent()) {
    const CLI::Option* option = app->get_option_no_throw(name);
    if (option != nullptr && option->nonpositional()) {
      return option;
    }
  }
  return nullptr;
}

std::vector<const CLI::Option*> positionals_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

std::string first_sentence(const std::string& text) {
  return text.substr(0, text.find_first_of(";\n"));
}

/// Values that CLI::IsMember allows: its description is "{a,b}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto begin = type.find('{');
  const auto end = type.rfind('}');
  std::vector<std::string> choices;
  if (begin == std::string::npos || end == std::string::npos) {
    return choices;
  }
  std::string_view rest = std::string_view(type).substr(begin + 1, end - begin - 1);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    choices.emplace_back(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return choices;
}

/// By the name of the value in the help.
Completion::More more_for(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::string name =
      option.get_positional() ? option.get_name(true, false) : type.substr(0, type.find(':'));
  const auto is_one_of = [&name](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return is_one_of({"BRIDGE"})                            ? Completion::More::kBridges
         : is_one_of({"ROOM"})                            ? Completion::More::kRooms
         : is_one_of({"FILE", "DIR", "BACKUP", "TARGET"}) ? Completion::More::kFiles
                                                          : Completion::More::kNothing;
}

void add_word(Completion& completion, const std::string& word, const std::string& text) {
  if (word.starts_with(completion.prefix)) {
    completion.words.push_back({completion.attached + word, first_sentence(text)});
  }
}

void add_values(Completion& completion, const CLI::Option& option) {
  for (const std::string& choice : choices_of(option)) {
    add_word(completion, choice, "");
  }
  completion.more = more_for(option);
}

void add_options(Completion& completion, const CLI::App* app) {
  for (; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options({})) {
      for (const std::string& name : option->get_lnames()) {
        const bool is_repeated = name == "help" && app->get_parent() != nullptr;
        if (!option->get_group().empty() && !is_repeated) {
          add_word(completion, "--" + name, option->get_description());
        }
      }
    }
  }
}

/// Where on the line the cursor is: which command, which of its values is next.
class Walk {
 public:
  explicit Walk(const CLI::App& cli) : app_(&cli) {}

  void step(const std::string& word) {
    if (waiting_ != nullptr) {
      keep(*waiting_, word);
      waiting_ = nullptr;
    } else if (word.starts_with("--") && word.size() > 2) {
      const auto equals = word.find('=');
      const CLI::Option* option = find_option(app_, word.substr(0, equals));
      if (option != nullptr && equals != std::string::npos) {
        keep(*option, word.substr(equals + 1));
      } else if (option != nullptr && takes_value(*option)) {
        waiting_ = option;
      }
    } else if (!word.starts_with('-')) {
      const auto commands =
          app_->get_subcommands([&word](const CLI::App* each) { return each->get_name() == word; });
      app_ = commands.empty() ? app_ : commands.front();
      values_ = commands.empty() ? values_ + 1 : 0;
    }
  }

  void finish(const std::string& typed, Completion& completion) const {
    completion.connection = connection_;
    completion.prefix = typed;
    const auto equals = typed.find('=');
    if (waiting_ != nullptr) {
      add_values(completion, *waiting_);
    } else if (typed.starts_with('-') && equals != std::string::npos) {
      completion.attached = typed.substr(0, equals + 1);
      completion.prefix = typed.substr(equals + 1);
      if (const CLI::Option* option = find_option(app_, typed.substr(0, equals))) {
        add_values(completion, *option);
      }
    } else if (typed.starts_with('-')) {
      add_options(completion, app_);
    } else {
      for (const CLI::App* command : app_->get_subcommands({})) {
        if (!command->get_group().empty()) {
          add_word(completion, command->get_name(), command->get_description());
        }
      }
      if (const auto all = positionals_of(*app_); values_ < all.size()) {
        add_values(completion, *all[values_]);
      }
    }
  }

 private:
  void keep(const CLI::Option& option, const std::string& value) {
    const auto is = [&option](const char* name) { return option.check_lname(name); };
    std::string* target = is("url")          ? &connection_.url
                          : is("token-file") ? &connection_.token_file
                          : is("ca-file")    ? &connection_.ca_file
                                             : nullptr;
    if (target != nullptr) {
      *target = value;
    }
  }

  const CLI::App* app_;
  std::size_t values_ = 0;  ///< Words that were no options, of this command.
  const CLI::Option* waiting_ = nullptr;
  Connection connection_;
};

/// Asks the daemon; silent when it does not answer: nobody wants an error while typing.
void add_names(Completion& completion) {
  completion.connection.answer_timeout = kAnswerTimeout;
  const bool bridges = completion.more == Completion::More::kBridges;
  const std::string target =
      bridges ? "/v1/bridges"
              : "/v1/conferences?limit=200&search=" + percent_encoded(completion.prefix);
  const auto answer = ask_json(completion.connection, "GET", target);
  if (!answer) {
    return;
  }
  for (const Json& each : member(*answer, bridges ? "bridges" : "conferences")) {
    const std::string people = counted(count_at(each, "participants"), "person", "people");
    if (bridges) {
      add_word(completion, nick_of(text_at(each, "bridge", "")), people);
    } else {
      add_word(completion, text_at(each, "room", ""), people);
    }
  }
}

// The scripts only carry words to and fro; what may stand where is the program's to say.

constexpr const char* kBash =
    R"(# bash completion for basculectl, printed by `basculectl completion bash`.
_basculectl() {
  local line=${COMP_LINE:0:COMP_POINT} word text current prefix
  local -a typed=()
  read -ra typed <<<"$line"
  [[ $line == *[[:space:]] ]] && typed+=("")
  current=${typed[-1]}
  # bash replaces only what stands behind the last of its separators, ':' and '@' among them.
  prefix=${current%"${current##*["$COMP_WORDBREAKS"]}"}
  COMPREPLY=()
  while IFS=$'\t' read -r word text; do
    if [[ $word == :files ]]; then
      compopt -o filenames 2>/dev/null
      while read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "${current##*=}")
    else
      COMPREPLY+=("${word#"$prefix"}")
    fi
  done < <("${typed[0]}" __complete "${typed[@]:1}" 2>/dev/null)
}
complete -F _basculectl basculectl
)";

constexpr const char* kZsh = R"(#compdef basculectl
# zsh completion for basculectl, printed by `basculectl completion zsh`.
_basculectl() {
  local line
  local -a found
  for line in "${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      _files
    elif [[ -n $line ]]; then
      found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    fi
  done
  (( $#found )) && _describe basculectl found
}
if [ "$funcstack[1]" = "_basculectl" ]; then
  _basculectl "$@"
else
  compdef _basculectl basculectl
fi
)";

constexpr const char* kFish =
    R"(# fish completion for basculectl, printed by `basculectl completion fish`.
function __basculectl_complete
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    for line in ($typed[1] __complete $typed[2..-1] "$current" 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c basculectl -f -a '(__basculectl_complete)'
)";

}  // namespace

Completion complete(const CLI::App& cli, const std::vector<std::string>& words) {
  Completion completion;
  Walk walk(cli);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    walk.step(words[i]);
  }
  walk.finish(words.empty() ? std::string() : words.back(), completion);
  return completion;
}

int print_completion(const std::vector<std::string>& words) {
  Context context;
  const auto cli = make_cli(context);
  Completion completion = complete(*cli, words);
  if (completion.more == Completion::More::kFiles) {
    std::puts(":files");
  } else if (completion.more != Completion::More::kNothing) {
    add_names(completion);
  }
  for (const auto& [word, text] : completion.words) {
    std::printf("%s\t%s\n", word.c_str(), text.c_str());
  }
  return kExitOk;
}

void add_completion(CLI::App& cli, Context& context) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command = cli.add_subcommand(
      "completion", "Print the script that completes commands, bridges and rooms in a shell");
  command->add_option("SHELL", *shell, "Which one")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  on_call(*command, context, [shell] {
    std::fputs(*shell == "bash" ? kBash : *shell == "zsh" ? kZsh : kFish, stdout);
    return kExitOk;
  });
}

}  // namespace bascule::ctl
