// Who may do what over HTTP, asked of the real daemon with curl: TLS, tokens, SIGHUP, Unix socket.

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/child_process.h"
#include "tests/integration/stage.h"

namespace bascule::test {
namespace {

using testing::HasSubstr;

/// Files of the test, the daemon and a curl that asks it.
class AccessIntegration : public testing::Test {
 protected:
  AccessIntegration() { make_certificate("one"); }
  ~AccessIntegration() override {
    std::error_code ignored;  // What stays behind in /tmp must not hide the test's result.
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  static std::string quoted(const std::string& text) { return '"' + text + '"'; }

  /// A certificate for 127.0.0.1 in place of the one before; its own name is in the subject.
  void make_certificate(const std::string& name) const {
    run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "30", "-subj", "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", path("key.pem"), "-out", path("chain.pem")},
        path("openssl.log"));
    std::filesystem::permissions(path("key.pem"), std::filesystem::perms(0600));
  }
  /// Makes a token with basculectl, adds its line to the file, and returns the token.
  [[nodiscard]] std::string add_token(const std::string& name, const std::string& role) const {
    run({BASCULECTL_BINARY, "--json", "token", name, role}, path("token-" + name));
    const auto made = nlohmann::json::parse(read_file(path("token-" + name)));
    std::ofstream(path("tokens"), std::ios::app) << made.at("line").get<std::string>() << '\n';
    std::filesystem::permissions(path("tokens"), std::filesystem::perms(0640));
    return made.at("token");
  }

  /// What curl gets; the status alone on the last line, 000 when there is no connection.
  [[nodiscard]] std::string curl(std::vector<std::string> arguments) const {
    std::filesystem::remove(path("answer"));
    std::vector<std::string> command = {"sh",   "-c", "curl \"$@\" || true",
                                        "curl", "-s", "--max-time",
                                        "20",   "-w", "\\n%{http_code}"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    run(command, path("answer"));
    return read_file(path("answer"));
  }
  [[nodiscard]] std::string status(std::vector<std::string> arguments) const {
    const std::string answer = curl(std::move(arguments));
    return answer.substr(answer.rfind('\n') + 1);
  }
  [[nodiscard]] std::string https(const Stage& stage, const std::string& target) const {
    return "https" + stage.daemon.url().substr(4) + target;
  }
  [[nodiscard]] static std::string bearer(const std::string& token) {
    return "Authorization: Bearer " + token;
  }

  std::filesystem::path folder_ = make_folder("bascule-access");
};

TEST_F(AccessIntegration, TlsAndTokensAndTheirReloadWithoutLosingConnections) {
  const std::string reader = add_token("watch", "read");
  const std::string operator_token = add_token("ann", "operate");
  Stage::Options options;
  options.bridges = 0;
  options.start_daemon = false;
  options.daemon = {{"admin",
                     {{"address", quoted("0.0.0.0")},
                      {"tls-certificate", quoted(path("chain.pem"))},
                      {"tls-key", quoted(path("key.pem"))},
                      {"tokens-file", quoted(path("tokens"))}}}};
  Stage stage(options);
  stage.daemon.start();
  std::filesystem::copy(path("chain.pem"), path("first.pem"));
  const auto ask = [&](const std::string& target, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--cacert", path("first.pem"), https(stage, target)});
    return status(std::move(more));
  };
  stage.until("it serves by TLS", [&] { return ask("/livez") == "200"; });
  EXPECT_EQ(status({stage.daemon.url() + "/livez"}), "000") << "and not without";
  run({BASCULE_BINARY, "--health", "--config", (stage.daemon.folder() / "bascule.toml").string()},
      path("health"));
  EXPECT_EQ(ask("/v1/bridges"), "401");
  EXPECT_EQ(ask("/metrics"), "401");
  EXPECT_EQ(ask("/v1/bridges", {"-H", bearer(reader)}), "200");
  EXPECT_EQ(ask("/metrics", {"-H", bearer(reader)}), "200");
  EXPECT_EQ(ask("/v1/stats/backup", {"-X", "POST", "-H", bearer(reader)}), "403");
  EXPECT_EQ(ask("/v1/stats/backup", {"-X", "POST", "-H", bearer(operator_token)}), "200");
  EXPECT_EQ(ask("/v1/stats/backup",
                {"-X", "POST", "-H", bearer(operator_token), "-H", "Origin: https://evil.example"}),
            "403");
  EXPECT_EQ(ask("/livez", {"--tls-max", "1.1"}), "000");

  // One connection that asks again after the certificate and the tokens were replaced.
  run({"sh", "-c",
       "rm -f $1/fifo; mkfifo $1/fifo; (printf 'GET /about/version HTTP/1.1\\r\\nHost: "
       "a\\r\\n\\r\\n'; "
       "cat $1/fifo) | openssl s_client -quiet -connect 127.0.0.1:$2 -CAfile $1/first.pem "
       "-ign_eof > $1/kept 2>&1 & ",
       "sh", folder_.string(), stage.daemon.url().substr(stage.daemon.url().rfind(':') + 1)},
      path("kept.log"));
  const auto answers = [&] {
    const std::string text = read_file(path("kept"));
    std::size_t count = 0;
    for (auto at = text.find("HTTP/1.1 200"); at != std::string::npos;
         at = text.find("HTTP/1.1 200", at + 1)) {
      ++count;
    }
    return count;
  };
  stage.until("the first answer", [&] { return answers() == 1; });
  make_certificate("two");
  std::filesystem::remove(path("tokens"));
  const std::string other = add_token("bob", "admin");
  ::kill(stage.daemon.pid(), SIGHUP);
  stage.until("both are read again", [&] {
    return !stage.daemon.log_line("access.reloaded", path("tokens")).empty() &&
           !stage.daemon.log_line("access.reloaded", path("chain.pem")).empty();
  });
  EXPECT_EQ(ask("/livez"), "000") << "the old certificate is not served any more";
  std::filesystem::copy(path("chain.pem"), path("first.pem"),
                        std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(ask("/v1/bridges", {"-H", bearer(reader)}), "401");
  EXPECT_EQ(ask("/v1/bridges", {"-H", bearer(other)}), "200");
  std::ofstream(path("fifo"))
      << "GET /about/version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  stage.until("the old connection goes on", [&] { return answers() == 2; });

  std::ofstream(path("chain.pem")) << "broken";
  ::kill(stage.daemon.pid(), SIGHUP);
  stage.until("the broken one is named", [&] {
    return !stage.daemon.log_line("access.reload_failed", path("chain.pem")).empty();
  });
  EXPECT_EQ(ask("/v1/bridges", {"-H", bearer(other)}), "200") << "with what was good";
  const std::string metrics =
      curl({"--cacert", path("first.pem"), "-H", bearer(other), https(stage, "/metrics")});
  EXPECT_THAT(metrics, HasSubstr("bascule_http_certificate_end_timestamp_seconds "));
  EXPECT_THAT(metrics, HasSubstr("bascule_http_refused_total{reason=\"forbidden\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("bascule_http_refused_total{reason=\"origin\"} 1\n"));
  EXPECT_THAT(stage.daemon.log(), HasSubstr("access.denied reason=forbidden"));
  EXPECT_THAT(stage.daemon.log(), testing::Not(HasSubstr(reader)));
  stage.daemon.end();
  stage.until("it ends", [&] { return stage.daemon.exit_code().has_value(); });
}

TEST_F(AccessIntegration, TheUnixSocketServesItsOwnerWithoutAToken) {
  const std::string reader = add_token("watch", "read");
  Stage::Options options;
  options.bridges = 0;
  options.start_daemon = false;
  options.daemon = {{"admin", {{"tokens-file", quoted(path("tokens"))}}}};
  options.environment = {"RUNTIME_DIRECTORY=" + folder_.string()};
  Stage stage(options);
  stage.daemon.start();
  const std::string socket = path("admin.sock");
  const auto at_socket = [&](const std::string& target, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--unix-socket", socket, "http://bascule" + target});
    return status(std::move(more));
  };
  stage.until("it serves", [&] { return at_socket("/livez") == "200"; });
  EXPECT_EQ(at_socket("/v1/bridges"), "200");
  EXPECT_EQ(at_socket("/v1/stats/backup", {"-X", "POST"}), "200");
  EXPECT_EQ(at_socket("/v1/stats/backup", {"-X", "POST", "-H", bearer(reader)}), "403")
      << "who shows a token is held to it";
  EXPECT_EQ(status({stage.daemon.url() + "/v1/bridges"}), "401");
  struct stat file {};
  ASSERT_EQ(::stat(socket.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0660U);
  stage.daemon.kill();
  ASSERT_TRUE(std::filesystem::exists(socket)) << "nobody could remove it";
  stage.daemon.start();
  stage.until("it serves again", [&] { return at_socket("/livez") == "200"; });
  stage.daemon.end();
  stage.until("it ends", [&] { return stage.daemon.exit_code().has_value(); });
  EXPECT_FALSE(std::filesystem::exists(socket));
}

TEST_F(AccessIntegration, AnotherAddressNeedsTlsAndTokens) {
  Stage::Options options;
  options.bridges = 0;
  options.start_daemon = false;
  options.daemon = {{"admin", {{"address", quoted("0.0.0.0")}}}};
  Stage stage(options);
  stage.daemon.start();
  stage.until("it gives up", [&] { return stage.daemon.exit_code().has_value(); });
  EXPECT_EQ(stage.daemon.exit_code(), 2);
  EXPECT_THAT(stage.daemon.log(), HasSubstr("admin.address = \"0.0.0.0\": needs admin.tls-"));
  EXPECT_THAT(stage.daemon.log(),
              HasSubstr("admin.address = \"0.0.0.0\": needs admin.tokens-file"));
}

TEST_F(AccessIntegration, FilesThatCannotBeUsedAreNamed) {
  Stage::Options options;
  options.bridges = 0;
  options.start_daemon = false;
  options.daemon = {{"admin", {{"tokens-file", quoted(path("none"))}}}};
  Stage stage(options);
  stage.daemon.start();
  stage.until("it gives up", [&] { return stage.daemon.exit_code().has_value(); });
  EXPECT_EQ(stage.daemon.exit_code(), 3);
  EXPECT_THAT(stage.daemon.log(), HasSubstr(path("none")));
}

}  // namespace
}  // namespace bascule::test
