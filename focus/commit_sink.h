#pragma once

#include <vector>

#include "base/ids.h"
#include "focus/operation.h"
#include "stats/batch.h"

namespace bascule::focus {

/// Where the operations of the loop's turns and the reports of bridges go: to the store alone, or
/// to the store and to a process that stands by. Every `commit` and every `write` is answered once,
/// by whoever made the sink; commits in their order.
class CommitSink {
 public:
  virtual ~CommitSink() = default;
  /// The operations of one turn, all or nothing; ids ascend by one from 1.
  virtual void commit(CommitId id, std::vector<Operation> operations) = 0;
  virtual void write(WriteId id, stats::Batch batch) = 0;
};

}  // namespace bascule::focus
