#include "admin/metrics_page.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

namespace bascule::admin {
namespace {

using SteadyClock = std::chrono::steady_clock;

// No further part is begun in the same go after this long; the last one comes on top of it.
constexpr std::chrono::microseconds kSlice{1'000};

}  // namespace

HttpResponse metrics_response(std::string text) {
  return {.status = 200,
          .content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = std::move(text),
          .headers = {}};
}

class MetricsPage::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& io, std::function<MetricsParts()> begin)
      : io_(io), begin_(std::move(begin)) {}

  void ask(Respond respond) {
    waiting_.push_back(std::move(respond));
    if (waiting_.size() == 1) {
      later(&Impl::begin);
    }
  }

  /// Nobody can be answered any more, and what the parts tell of is going.
  void stop() {
    stopped_ = true;
    parts_.clear();
    waiting_.clear();
  }

 private:
  void later(void (Impl::*step)()) {
    boost::asio::post(io_, [self = this->shared_from_this(), step] {
      if (!self->stopped_) {
        ((*self).*step)();
      }
    });
  }

  void begin() {
    parts_ = begin_();
    next_ = 0;
    text_.clear();
    text_.reserve(last_size_);
    later(&Impl::go_on);
  }

  void go_on() {
    const auto until = SteadyClock::now() + kSlice;
    while (next_ < parts_.size()) {
      parts_[next_++](metrics_);
      text_ += metrics_.take_text();
      if (SteadyClock::now() >= until) {
        break;
      }
    }
    if (next_ < parts_.size()) {
      later(&Impl::go_on);
      return;
    }
    parts_.clear();
    last_size_ = text_.size();
    const auto text = std::make_shared<const std::string>(std::move(text_));
    // One at a time: each gets a copy of what may be a megabyte.
    for (Respond& respond : std::exchange(waiting_, {})) {
      boost::asio::post(io_,
                        [respond = std::move(respond), text] { respond(metrics_response(*text)); });
    }
  }

  boost::asio::io_context& io_;
  std::function<MetricsParts()> begin_;
  std::vector<Respond> waiting_;
  MetricsParts parts_;
  std::size_t next_ = 0;
  Metrics metrics_;
  std::string text_;
  std::size_t last_size_ = 0;
  bool stopped_ = false;
};

MetricsPage::MetricsPage(boost::asio::io_context& io, std::function<MetricsParts()> begin)
    : impl_(std::make_shared<Impl>(io, std::move(begin))) {
}

MetricsPage::~MetricsPage() {
  impl_->stop();
}

void MetricsPage::handle(const HttpRequest& /*request*/, Respond respond) {
  impl_->ask(std::move(respond));
}

}  // namespace bascule::admin
