#include <cstdio>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "config/print.h"
#include "config/schema.h"
#include "config/toml/load.h"

namespace bascule::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/bascule-config-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~Folder() {
    for (const auto& file : files_) {
      ::unlink(file.c_str());
    }
    ::rmdir(path_.c_str());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string write(const std::string& name, const std::string& content) {
    files_.push_back(path_ + "/" + name);
    std::ofstream(files_.back()) << content;
    return files_.back();
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

std::vector<std::string> errors_of(const std::string& path) {
  const auto loaded = load(path, {});
  std::vector<std::string> lines;
  if (!loaded) {
    for (const auto& error : loaded.error()) {
      lines.push_back(to_string(error, "f.toml"));
    }
  }
  return lines;
}

TEST(TomlTest, LoadsAFileWithItsSecretFiles) {
  Folder folder;
  const auto secret = folder.write("secret", "s3cret\n");
  const auto file = folder.write("c.toml",
                                 "[xmpp]\ndomain = \"meet.test\"\n"
                                 "[links.requests]\nsecret-file = \"" +
                                     secret +
                                     "\"\n"
                                     "[links.client]\npassword = \"p\"\nport = 5000\n"
                                     "[links.service]\nsecret = \"s\"\n"
                                     "[selection]\nlimit-new = 0.7\n"
                                     "[log]\nhash-jids = true\n");
  const auto loaded = load(file, {});
  ASSERT_TRUE(loaded.has_value()) << to_string(loaded.error()[0], file);
  EXPECT_EQ(loaded->config.requests.secret.value, "s3cret");
  EXPECT_EQ(loaded->config.client.port, 5000);
  EXPECT_EQ(loaded->config.focus.placement.limit_new, Stress(700'000));
  EXPECT_TRUE(loaded->config.log.hash_jids);
  EXPECT_EQ(loaded->origins[*find_key("links.client.port")].line, 7);

  // What --print-config shows can be loaded again and means the same.
  const auto again = folder.write("again.toml", print_config(*loaded));
  const Environment secrets = {{"BASCULE_LINKS_REQUESTS_SECRET", "s3cret"},
                               {"BASCULE_LINKS_CLIENT_PASSWORD", "p"},
                               {"BASCULE_LINKS_SERVICE_SECRET", "s"}};
  const auto reloaded = load(again, secrets);
  ASSERT_TRUE(reloaded.has_value()) << to_string(reloaded.error()[0], again);
  for (const auto& key : keys()) {
    EXPECT_EQ(key.field.print(reloaded->config), key.field.print(loaded->config)) << key.path;
  }
}

TEST(TomlTest, NamesTheLineOfEachError) {
  Folder folder;
  const auto file = folder.write("c.toml",
                                 "[xmpp]\ndomain = 5\n\n[links.client]\nport = \"5222\"\n"
                                 "[conference]\ninitial-timeout = 15\n"
                                 "link-grace = 1979-05-27\n[lnks]\n[links.service]\n");
  EXPECT_THAT(errors_of(file),
              ElementsAre("f.toml:2: xmpp.domain = 5: must be a domain",
                          "f.toml:5: links.client.port = \"5222\": must be 1 to 65535",
                          "f.toml:7: conference.initial-timeout = 15: must be \"1 s\" to \"1 h\"",
                          "f.toml:8: conference.link-grace = a value of another type: must be "
                          "\"0 s\" to \"1 h\"",
                          "f.toml:9: lnks: unknown key", HasSubstr("links.requests.secret"),
                          HasSubstr("links.client.password"), HasSubstr("links.service.secret")));
}

TEST(TomlTest, NamesSyntaxErrorsAndUnreadableFiles) {
  Folder folder;
  const auto broken = folder.write("c.toml", "[xmpp]\ndomain = \n");
  ASSERT_EQ(errors_of(broken).size(), 1U);
  EXPECT_THAT(errors_of(broken)[0], HasSubstr("f.toml:2: syntax: "));
  EXPECT_THAT(errors_of("/no/such/file"),
              ElementsAre("/no/such/file: cannot be read: No such file or directory"));
  EXPECT_THAT(errors_of(folder.path()), ElementsAre(HasSubstr("cannot be read: Is a directory")));
  const auto huge = folder.write("huge.toml", std::string(1024 * 1024 + 1, '#'));
  EXPECT_THAT(errors_of(huge), ElementsAre(HasSubstr("is larger than")));
}

}  // namespace
}  // namespace bascule::config
