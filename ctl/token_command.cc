#include "ctl/token_command.h"

#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <openssl/rand.h>

#include "base/access_token.h"
#include "base/check.h"

namespace bascule::ctl {
namespace {

constexpr std::size_t kNameMax = 64;

struct Arguments {
  std::string name;
  std::string role;
};

/// The server refuses the others as well (admin/tokens.h).
std::string problem_of_name(const std::string& name) {
  const bool is_good =
      !name.empty() && name.size() <= kNameMax && name != "local" &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
          std::string::npos;
  return is_good ? "" : "1 to 64 letters, digits, '.', '_' and '-', and not `local`";
}

int make_token(const Context& context, const Arguments& arguments) {
  std::array<unsigned char, kTokenEntropyBytes> entropy{};
  BASCULE_CHECK(RAND_bytes(entropy.data(), static_cast<int>(entropy.size())) == 1);
  const std::string token = make_access_token(entropy);
  const std::string line = arguments.name + " " + arguments.role + " " + stored_form(token);
  if (context.json) {
    print_json({{"token", token}, {"line", line}});
    return kExitOk;
  }
  std::fprintf(stderr,
               "The token, which is not shown again and not stored anywhere:\n"
               "  %s\n"
               "The line for admin.tokens-file (then `systemctl reload bascule`):\n",
               token.c_str());
  std::printf("%s\n", line.c_str());
  return kExitOk;
}

}  // namespace

void add_token(CLI::App& cli, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = cli.add_subcommand(
      "token", "Make a bearer token: shown on stderr, its line for admin.tokens-file on stdout");
  command->add_option("NAME", arguments->name, "Who it is for; written to the audit log")
      ->required()
      ->check(CLI::Validator(problem_of_name, "NAME"));
  command->add_option("ROLE", arguments->role, "What it allows: each includes the ones before it")
      ->required()
      ->check(CLI::IsMember({"read", "operate", "admin"}));
  on_call(*command, context, [arguments, &context] { return make_token(context, *arguments); });
}

}  // namespace bascule::ctl
