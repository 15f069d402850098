// The only unit of basculectl that instantiates Beast: it is slow to compile.

#include "ctl/http_client.h"

#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace bascule::ctl {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::chrono::seconds kConnectTimeout{5};
constexpr std::chrono::seconds kAnswerTimeout{70};

/// One request, step by step; everything ends with `failed` or with an answer.
class Exchange {
 public:
  Exchange(http::verb verb, const std::string& host, const std::string& target)
      : request_(verb, target, 11) {
    request_.set(http::field::host, host);
    request_.set(http::field::user_agent, "basculectl");
    request_.prepare_payload();
  }

  error_code run(const std::string& host, const std::string& port, HttpAnswer& answer) {
    asio::ip::tcp::resolver resolver(io_);
    error_code error;
    const auto places = resolver.resolve(host, port, error);
    if (error) {
      return error;
    }
    error = await([&](auto done) {
      stream_.expires_after(kConnectTimeout);
      stream_.async_connect(places, [done](error_code result, const auto&) { done(result); });
    });
    if (!error) {
      error = await([&](auto done) {
        stream_.expires_after(kAnswerTimeout);
        http::async_write(stream_, request_,
                          [done](error_code result, std::size_t) { done(result); });
      });
    }
    if (!error) {
      error = await([&](auto done) {
        http::async_read(stream_, buffer_, response_,
                         [done](error_code result, std::size_t) { done(result); });
      });
    }
    answer = {.status = response_.result_int(), .body = std::move(response_.body())};
    return error;
  }

 private:
  /// Time limits of a stream work for asynchronous calls only.
  template <class Start>
  error_code await(const Start& start) {
    error_code outcome;
    start([&outcome](error_code result) { outcome = result; });
    io_.restart();
    io_.run();
    return outcome;
  }

  asio::io_context io_{1};
  beast::tcp_stream stream_{io_};
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  http::response<http::string_body> response_;
};

}  // namespace

Result<HttpClient> HttpClient::make(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  const auto bad = [&] {
    return fail(Errc::kInvalidArgument,
                "'" + std::string(url) + "' is no URL like http://127.0.0.1:8888");
  };
  if (!url.starts_with(kScheme)) {
    return bad();
  }
  std::string_view rest = url.substr(kScheme.size());
  if (rest.ends_with('/')) {
    rest.remove_suffix(1);
  }
  std::string_view port = "80";
  // An IPv6 address stands in brackets.
  const auto colon = rest.starts_with('[') ? rest.find(':', rest.find(']')) : rest.find(':');
  if (colon != std::string_view::npos) {
    port = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) {
    rest = rest.substr(1, rest.size() - 2);
  }
  if (rest.empty() || port.empty() || rest.find('/') != std::string_view::npos ||
      port.find_first_not_of("0123456789") != std::string_view::npos) {
    return bad();
  }
  return HttpClient(std::string(rest), std::string(port));
}

Result<HttpAnswer> HttpClient::ask(std::string_view method, const std::string& target) const {
  Exchange exchange(http::string_to_verb(beast::string_view(method.data(), method.size())),
                    host_ + ':' + port_, target);
  HttpAnswer answer;
  if (const error_code error = exchange.run(host_, port_, answer)) {
    return fail(Errc::kUnavailable, "no answer from http://" + host_ + ':' + port_ + ": " +
                                        error.message() +
                                        "; --url says where bascule listens, and --dir works on "
                                        "the files of one that is stopped");
  }
  return answer;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kUnreserved =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      out += c;
    } else {
      char hex[4];
      std::snprintf(hex, sizeof hex, "%%%02X",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += hex;
    }
  }
  return out;
}

}  // namespace bascule::ctl
