#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "admin/http_core.h"
#include "admin/http_wire.h"

namespace bascule::admin {

/// One connection: read, hand to the router, write, again. Holds itself alive through its pending
/// operation or through the Respond given to a handler.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  /// `open` counts the connections of one listener; it outlives the session.
  HttpSession(std::shared_ptr<HttpCore> core, std::shared_ptr<std::size_t> open, Peer peer,
              std::unique_ptr<Wire> wire);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  void start();
  void close();

 private:
  enum class State : std::uint8_t {
    kReading,    ///< A request, or waiting for one.
    kAnswering,  ///< It is with its handler, or the answer is being written.
    kStreaming,  ///< An answer without end.
    kEnding,     ///< The last answer is written; what the peer still sends is thrown away.
    kClosed,
  };

  void await_request();
  void read_more();
  void on_bytes(boost::system::error_code error, std::size_t bytes);
  void parse();
  void refuse(boost::system::error_code error);
  void dispatch();
  [[nodiscard]] HttpRequest take_request();
  void answer(std::uint64_t turn, HttpResponse response);
  void write(HttpResponse response);
  [[nodiscard]] bool has_room_for(const HttpResponse& response) const;
  [[nodiscard]] std::string header_of(const HttpResponse& response) const;
  void on_written(boost::system::error_code error);
  void begin_stream(HttpResponse response);
  void pump();
  void beat();
  void end();
  void expire_after(Duration time);
  void expire_never();
  void on_expired();

  std::shared_ptr<HttpCore> core_;
  std::shared_ptr<std::size_t> open_;
  Peer peer_;
  std::unique_ptr<Wire> wire_;
  boost::asio::steady_timer deadline_;
  boost::asio::steady_timer answer_timer_;  // Of the handler; of the heartbeat of a stream.
  State state_ = State::kReading;
  bool is_reading_ = false;  // An operation of the wire is under way.
  bool is_writing_ = false;
  bool has_begun_ = false;  // A part of the request is there.
  bool is_unread_ = false;  // The request was not read to its end.
  bool keep_alive_ = false;
  bool head_ = false;
  std::string request_id_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::string header_;
  std::string body_;
  std::shared_ptr<EventStream> stream_;
  std::size_t drain_left_ = 0;
  std::uint64_t turn_ = 0;
  std::uint64_t answered_ = 0;
};

}  // namespace bascule::admin
