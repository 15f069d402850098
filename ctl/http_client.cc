// The only unit of basculectl that instantiates Beast: it is slow to compile.

#include "ctl/http_client.h"

#include <cstdio>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace bascule::ctl {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using LocalStream = beast::basic_stream<asio::local::stream_protocol>;
using TlsStream = ssl::stream<beast::tcp_stream>;

constexpr std::chrono::seconds kConnectTimeout{5};
constexpr std::size_t kBodyMax = std::size_t{64} * 1024 * 1024;

/// Of the answer; the reason of a failure for people.
using Outcome = tl::expected<HttpAnswer, std::string>;

/// One request, step by step.
class Exchange {
 public:
  Exchange(http::request<http::string_body> request, std::chrono::seconds answer_timeout)
      : request_(std::move(request)), answer_timeout_(answer_timeout) {
    parser_.body_limit(kBodyMax);
  }

  Outcome over_tcp(const Endpoint& endpoint) {
    beast::tcp_stream stream(io_);
    const error_code error = connect(stream, endpoint);
    return error ? failure(error) : talk(stream);
  }

  Outcome over_tls(const Endpoint& endpoint, const std::string& ca_file) {
    ssl::context context(ssl::context::tls_client);
    context.set_verify_mode(ssl::verify_peer);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    error_code error;
    if (ca_file.empty()) {
      context.set_default_verify_paths(error);
    } else {
      context.load_verify_file(ca_file, error);
    }
    if (error) {
      return tl::make_unexpected("--ca-file " + ca_file + ": " + error.message());
    }
    TlsStream stream(io_, context);
    stream.set_verify_callback(ssl::host_name_verification(endpoint.host));
    asio::ip::make_address(endpoint.host, error);
    if (error) {  // A name: servers of several names choose their certificate by it.
      SSL_set_tlsext_host_name(stream.native_handle(), endpoint.host.c_str());
    }
    error = connect(stream.next_layer(), endpoint);
    if (error) {
      return failure(error);
    }
    error = await([&](auto done) {
      stream.next_layer().expires_after(kConnectTimeout);
      stream.async_handshake(ssl::stream_base::client, done);
    });
    if (const long verdict = SSL_get_verify_result(stream.native_handle());
        error && verdict != X509_V_OK) {
      return tl::make_unexpected(
          std::string("its certificate is not trusted: ") + X509_verify_cert_error_string(verdict) +
          (ca_file.empty() ? "; --ca-file names the authority that signed it" : ""));
    }
    return error ? failure(error) : talk(stream);
  }

  Outcome over_unix(const std::string& path) {
    constexpr std::size_t kPathMax = 107;  // sun_path, with its zero.
    if (path.size() > kPathMax) {
      return tl::make_unexpected(std::string("the path of the socket is too long"));
    }
    LocalStream stream(io_);
    const error_code error = await([&](auto done) {
      stream.expires_after(kConnectTimeout);
      stream.async_connect(asio::local::stream_protocol::endpoint(path), done);
    });
    return error ? failure(error) : talk(stream);
  }

 private:
  error_code connect(beast::tcp_stream& stream, const Endpoint& endpoint) {
    asio::ip::tcp::resolver resolver(io_);
    error_code error;
    const auto places = resolver.resolve(endpoint.host, endpoint.port, error);
    return error ? error : await([&](auto done) {
      stream.expires_after(kConnectTimeout);
      stream.async_connect(places, [done](error_code result, const auto&) { done(result); });
    });
  }

  template <class Stream>
  Outcome talk(Stream& stream) {
    const auto until_done = [this, &stream](auto start) {
      return await([&](auto done) {
        beast::get_lowest_layer(stream).expires_after(answer_timeout_);
        start([done](error_code result, std::size_t) { done(result); });
      });
    };
    error_code error =
        until_done([&](auto done) { http::async_write(stream, request_, std::move(done)); });
    if (!error) {
      error = until_done(
          [&](auto done) { http::async_read(stream, buffer_, parser_, std::move(done)); });
    }
    if (error) {
      return failure(error);
    }
    auto& response = parser_.get();
    return HttpAnswer{.status = response.result_int(), .body = std::move(response.body())};
  }

  [[nodiscard]] Outcome failure(error_code error) const {
    return tl::make_unexpected(error == beast::error::timeout ? "it does not answer in time"
                                                              : error.message());
  }

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
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response_parser<http::string_body> parser_;
  std::chrono::seconds answer_timeout_;
};

}  // namespace

Result<HttpClient> HttpClient::make(const Connection& connection) {
  auto endpoint = parse_endpoint(connection.url.empty() ? default_url() : connection.url);
  if (!endpoint) {
    return tl::make_unexpected(endpoint.error());
  }
  auto token = read_token(connection.token_file);
  if (!token) {
    return tl::make_unexpected(token.error());
  }
  if (token->has_value() && !endpoint->is_private()) {
    return fail(Errc::kInvalidArgument, "the token is not sent to " + endpoint->to_string() +
                                            ", where others can read it: use https://");
  }
  return HttpClient(std::move(*endpoint), std::move(*token), connection);
}

Result<HttpAnswer> HttpClient::ask(std::string_view method, const std::string& target,
                                   const std::string& body) const {
  http::request<http::string_body> request(
      http::string_to_verb(beast::string_view(method.data(), method.size())), target, 11);
  request.set(http::field::host, endpoint_.host_field());
  request.set(http::field::user_agent, "basculectl");
  request.set(http::field::accept, "application/json, application/problem+json");
  if (token_) {
    request.set(http::field::authorization, "Bearer " + *token_);
  }
  if (!body.empty()) {
    request.set(http::field::content_type, "application/json");
    request.body() = body;
  }
  request.prepare_payload();
  Exchange exchange(std::move(request), connection_.answer_timeout);
  const Outcome outcome =
      endpoint_.kind == Endpoint::Kind::kUnix  ? exchange.over_unix(endpoint_.host)
      : endpoint_.kind == Endpoint::Kind::kTls ? exchange.over_tls(endpoint_, connection_.ca_file)
                                               : exchange.over_tcp(endpoint_);
  if (!outcome) {
    return fail(Errc::kUnavailable,
                "no answer from " + address() + ": " + outcome.error() +
                    "; is bascule running (systemctl status bascule)? --url says where it listens");
  }
  return *outcome;
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
