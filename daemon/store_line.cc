#include "daemon/store_line.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace bascule::daemon {

CommitId StoreLine::next(CommitId id) {
  counts_.commits = earlier_.commits + id.value();
  return CommitId(counts_.commits);
}

void StoreLine::commit(CommitId id, std::vector<focus::Operation> operations) {
  store_.commit(next(id), std::move(operations));
}

void StoreLine::replace(CommitId id, focus::Tables tables) {
  store_.replace(next(id), std::move(tables));
}

void StoreLine::write(WriteId id, stats::Batch batch) {
  counts_.writes = earlier_.writes + id.value();
  store_.write(WriteId(counts_.writes), std::move(batch));
}

std::optional<stats::sqlite::Completion> StoreLine::own(
    const stats::sqlite::Completion& completion) const {
  if (const auto* write = std::get_if<WriteId>(&completion.id)) {
    if (write->value() <= earlier_.writes) {
      return std::nullopt;
    }
    return stats::sqlite::Completion{WriteId(write->value() - earlier_.writes), completion.outcome};
  }
  const std::uint64_t number = std::get<CommitId>(completion.id).value();
  if (number <= earlier_.commits) {
    return std::nullopt;
  }
  return stats::sqlite::Completion{CommitId(number - earlier_.commits), completion.outcome};
}

void StoreAnswers::post(const stats::sqlite::Completion& completion) {
  const std::lock_guard guard(mutex_);
  if (io_ != nullptr) {
    boost::asio::post(*io_, [taker = taker_, completion] { taker(completion); });
  }
}

void StoreAnswers::start(boost::asio::io_context& io, Taker taker) {
  const std::lock_guard guard(mutex_);
  io_ = &io;
  taker_ = std::move(taker);
}

void StoreAnswers::stop() {
  const std::lock_guard guard(mutex_);
  io_ = nullptr;
  taker_ = nullptr;
}

}  // namespace bascule::daemon
