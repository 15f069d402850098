#include "tests/integration/stats_node_stage.h"

#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

namespace bascule::test {
namespace {

using std::chrono::seconds;

std::string in_seconds(const std::optional<double>& value) {
  std::ostringstream out;
  out.precision(1);
  if (value) {
    out << std::fixed << *value << " s";
  } else {
    out << "-";
  }
  return out.str();
}

}  // namespace

Operator::Operator(Stage& stage) : service_("pubsub." + stage.prosody.domain()) {
  peers::Account account;
  account.server = {boost::asio::ip::address_v4::loopback(), stage.prosody.c2s_port()};
  account.domain = "auth." + stage.prosody.domain();
  account.user = "jvb";
  account.password = "jvb-password";
  account.resource = "operator";
  client_ = peers::XmppClient::start(stage.io, account, *this);
  stage.until("the operator is logged in", [this] { return ready_; });
}

std::shared_ptr<Reply> Operator::ask(const char* ns, xml::Element action) {
  xml::Element stanza = peers::iq("set", service_);
  stanza.add(peers::element("pubsub", ns)).add(std::move(action));
  return send_request(*client_, std::move(stanza));
}

std::string ServerConsole::configuration() const {
  return "modules_enabled = { \"roster\", \"saslauth\", \"tls\", \"disco\", \"ping\", \"smacks\", "
         "\"version\", \"admin_telnet\" }\n"
         "console_banner = \"short\"\n"
         "console_interfaces = { \"127.0.0.1\" }\n"
         "console_ports = { " +
         std::to_string(port_) + " }\n";
}

std::string ServerConsole::run(const std::string& command) const {
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket(io);
  socket.connect({boost::asio::ip::address_v4::loopback(), port_});
  boost::asio::write(socket, boost::asio::buffer(command + "\n"));
  std::string answer;
  while (answer.find("OK:") == std::string::npos) {
    std::array<char, 4096> more;
    boost::system::error_code error;
    const std::size_t count = socket.read_some(boost::asio::buffer(more), error);
    answer.append(more.data(), count);
    if (error || answer.find("Error:") != std::string::npos) {
      throw std::runtime_error(command + ": " + answer + error.message());
    }
  }
  return answer;
}

bool Newcomers::have_sessions() {
  for (std::size_t i = 0; i < people_.size(); ++i) {
    if (!asked_[i]) {
      asked_[i] = people_[i]->request_conference();
    } else if (asked_[i]->done && !joined_[i]) {
      joined_[i] = stage_.ready_field(*asked_[i]) == "true";
      if (joined_[i]) {
        people_[i]->join();
      } else {
        asked_[i].reset();
      }
    }
  }
  return people_[0]->is_active() && people_[1]->is_active();
}

void print(const std::string& name, const Row& row) {
  std::printf("| %s | %s | %s | %s | %s |\n", name.c_str(), in_seconds(row.noticed).c_str(),
              in_seconds(row.repaired).c_str(), in_seconds(row.placed).c_str(), row.told.c_str());
  std::fflush(stdout);
}

Stage::Options StatsNodeLive::options(bool publishes) {
  Stage::Options made;
  made.pubsub_node = publishes ? "" : kStatsNode;
  made.daemon["links.service"] = {{"pubsub-service", "\"pubsub.bascule.test\""},
                                  {"pubsub-node", "\"sharedStatsNode\""},
                                  {"pubsub-persist", "true"},
                                  {"pubsub-publish", publishes ? "true" : "false"}};
  return made;
}

void StatsNodeLive::until_working(Stage& stage) {
  stage.until("the node works and events arrive",
              [&stage] { return is(stage, "working") && events(stage) >= 4; });
}

void StatsNodeLive::overwrite_with_nul(const std::filesystem::path& name) {
  std::fstream file(name, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(10);
  file << std::string(40, '\0');
}

std::string StatsNodeLive::own_address(const Stage& stage) {
  const std::string line = stage.daemon.log_line("link.up link=service", "jid=");
  const std::size_t begin = line.find("jid=") + 4;
  return line.substr(begin, line.find(' ', begin) - begin);
}

void StatsNodeLive::restart_with(Stage& stage, const std::function<void()>& damage) {
  stage.prosody.kill();
  damage();
  stage.prosody.start();
}

std::string StatsNodeLive::told_since(const Stage& stage, std::size_t before) {
  std::istringstream lines(stage.daemon.log().substr(before));
  std::string told;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find(" pubsub.");
    if (at != std::string::npos) {
      told += (told.empty() ? "" : ";") + line.substr(at);
    }
  }
  return told;
}

Row StatsNodeLive::measure(Stage& stage, const std::string& name,
                           const std::function<void()>& inflict, bool harmless) {
  const std::size_t log_before = stage.daemon.log().size();
  inflict();
  const auto began = Stage::Clock::now();
  const auto elapsed = [began] {
    return std::chrono::duration<double>(Stage::Clock::now() - began).count();
  };
  double events_when_noticed = events(stage);
  Newcomers people(stage, "meanwhile");
  Row row;
  stage.until(
      name + ": noticed, repaired, people placed",
      [&] {
        const std::string log = stage.daemon.log().substr(log_before);
        if (!row.noticed && log.find("pubsub.fault") != std::string::npos) {
          row.noticed = elapsed();
          events_when_noticed = events(stage);
        }
        const bool over = harmless || row.noticed;
        if (over && !row.repaired && is(stage, "working") &&
            events(stage) >= events_when_noticed + 2) {
          row.repaired = elapsed();
        }
        if (people.have_sessions() && !row.placed) {
          row.placed = elapsed();
        }
        return row.repaired && row.placed;
      },
      seconds{60});
  row.told = told_since(stage, log_before);
  print(name, row);
  return row;
}

}  // namespace bascule::test
