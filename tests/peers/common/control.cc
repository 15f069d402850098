#include "tests/peers/common/control.h"

#include <iostream>
#include <istream>
#include <utility>

#include <boost/asio/read_until.hpp>
#include <unistd.h>

namespace bascule::peers {
namespace {

constexpr std::size_t kLineBytesMax = 4096;

}  // namespace

Control::Control(boost::asio::io_context& io, std::function<void(const std::string&)> command)
    : input_(io, ::dup(STDIN_FILENO)), buffer_(kLineBytesMax), command_(std::move(command)) {
  read();
}

void Control::read() {
  boost::asio::async_read_until(input_, buffer_, '\n',
                                [this](const boost::system::error_code& error, std::size_t) {
                                  if (error) {
                                    command_("quit");
                                    return;
                                  }
                                  std::istream stream(&buffer_);
                                  std::string line;
                                  std::getline(stream, line);
                                  command_(line);
                                  read();
                                });
}

void answer(const std::string& line) {
  std::cout << line << '\n' << std::flush;
}

}  // namespace bascule::peers
