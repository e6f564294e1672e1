#include "postgres/transaction.hpp"

#include "postgres/detail/open_transaction.hpp"
#include "postgres/detail/result.hpp"

namespace buildplan::postgres::detail {

Transaction::Transaction(std::unique_ptr<OpenTransaction> state) noexcept : state_(std::move(state)) {}
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&&) noexcept = default;
Transaction::~Transaction() = default;

task<> Transaction::execute(std::span<Request const> requests, bool commit) {
    return state_->execute(requests, commit);
}
task<> Transaction::commit() { return state_->commit(); }
task<> Transaction::rollback() { return state_->rollback(); }
bool Transaction::open() const noexcept { return state_ != nullptr && state_->open(); }

}  // namespace buildplan::postgres::detail
