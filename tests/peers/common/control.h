#pragma once

#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/streambuf.hpp>

namespace bascule::peers {

/// Commands from whoever started the peer: one a line on standard input, answers on standard
/// output. The end of the input is reported as the command "quit", so that a peer never outlives
/// its starter.
class Control {
 public:
  Control(boost::asio::io_context& io, std::function<void(const std::string&)> command);

 private:
  void read();

  boost::asio::posix::stream_descriptor input_;
  boost::asio::streambuf buffer_;
  std::function<void(const std::string&)> command_;
};

/// Writes one line to standard output and flushes it.
void answer(const std::string& line);

}  // namespace bascule::peers
