// JobContext: one attempt at a job, as its handler sees it. Valid until the handler has returned.
//
//     task<postgres::Json> count_things(jobs::JobContext& context) {
//         auto const wanted = context.data<Wanted>();
//         auto tx = co_await context.begin();
//         ...                       // effects
//         co_await tx.commit();     // effects and completion, in one
//         co_return postgres::Json{"{}"};
//     }
//
// The task of a handler is cancelled when the worker stops or has lost the job: whatever it waits for throws
// operation_aborted, which it lets through.
#pragma once

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/json/json.hpp"
#include "core/log.hpp"
#include "core/principal.hpp"
#include "postgres/pool.hpp"
#include "queue/jobs/entry.hpp"

namespace buildplan::api {
struct Shard;
}

namespace buildplan::queue::jobs {

// Thrown by begin(): the job is done already, or has been given up. Its handler lets it through.
class Settled : public std::exception {
public:
    [[nodiscard]] char const* what() const noexcept override { return "The job is settled already."; }
};

// Thrown by a handler: no further attempt makes sense.
class GiveUp : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Thrown by a handler: not now, but after that long (somebody else's service says so). No attempt is counted.
class Postpone : public std::runtime_error {
public:
    Postpone(std::chrono::milliseconds delay_, std::string const& reason) : std::runtime_error(reason), delay(delay_) {}
    std::chrono::milliseconds delay;
};

// Where a handler's news go: into the queue, for whoever watches the job.
class Reporter {
public:
    virtual task<> progress(std::string json) = 0;
    virtual task<> note(std::string line) = 0;

protected:
    ~Reporter() = default;
};

class JobContext {
public:
    struct Facts {
        OrganizationId organization;
        std::string queue, id, name;
        std::string data = "{}";  // a JSON text
        std::int32_t attempt = 1, attempts = 1;
    };
    // All outlive it. `shard` is what the product's handlers work with; this floor does not look into it.
    JobContext(Facts facts, api::Shard& shard, postgres::Pool& pool, Log log, Reporter& reporter);
    JobContext(JobContext const&) = delete;
    JobContext& operator=(JobContext const&) = delete;

    [[nodiscard]] OrganizationId organization() const noexcept { return facts_.organization; }
    // The organization's, and nobody's in person.
    [[nodiscard]] Principal const& principal() const noexcept { return principal_; }
    // The same for all attempts at this job, and for no other job: what is done elsewhere is idempotent by it.
    [[nodiscard]] std::string_view id() const noexcept { return facts_.id; }
    [[nodiscard]] std::string_view queue() const noexcept { return facts_.queue; }
    [[nodiscard]] std::string_view name() const noexcept { return facts_.name; }
    // From 1.
    [[nodiscard]] std::int32_t attempt() const noexcept { return facts_.attempt; }
    [[nodiscard]] bool last_attempt() const noexcept { return facts_.attempt >= facts_.attempts; }
    [[nodiscard]] std::string_view text() const noexcept { return facts_.data; }
    // Data that does not fit does not fit the next time either: throws GiveUp.
    template <class T>
    [[nodiscard]] T data() const {
        try {
            return json::decode<T>(facts_.data);
        } catch (Problem const& problem) {
            give_up(problem);
        }
    }
    [[nodiscard]] api::Shard& shard() const noexcept { return shard_; }
    [[nodiscard]] Log const& log() const noexcept { return log_; }
    // Its entry in the ledger; nothing for a job that somebody else put into the queue.
    [[nodiscard]] std::optional<Entry> const& entry() const noexcept { return entry_; }

    // A transaction whose commit completes the job: the mark is its first statement, so that a second worker at the
    // same job waits for the first one's end and then gets Settled before it has done anything. For steps on the way,
    // which complete nothing, there is postgres().begin(principal()).
    task<postgres::TenantTx> begin(postgres::Lane lane = postgres::Lane::exclusive);
    [[nodiscard]] postgres::Pool& postgres() const noexcept { return pool_; }

    // For whoever watches. May throw what Redis throws; a handler that does not care catches nothing and is tried
    // again.
    task<> progress(std::string json) { return reporter_.progress(std::move(json)); }
    task<> note(std::string line) { return reporter_.note(std::move(line)); }

private:
    [[noreturn]] static void give_up(Problem const& problem);

    Facts facts_;
    Principal principal_;
    std::optional<Entry> entry_;
    api::Shard& shard_;
    postgres::Pool& pool_;
    Log log_;
    Reporter& reporter_;
};

}  // namespace buildplan::queue::jobs
