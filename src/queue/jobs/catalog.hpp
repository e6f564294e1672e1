// Catalog: all jobs of a program by queue and name, and where an event goes. Made once, at the start; then const and
// shared by all threads.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "queue/jobs/table.hpp"

namespace buildplan::queue::jobs {

using JobTables = std::span<std::span<JobType const> const>;

// What becomes of an event.
struct Destination {
    enum class Kind : std::uint8_t {
        nobody,      // nobody takes it
        job,         // it is that job
        misdirected  // "job.QUEUE.NAME" with a queue or a name that cannot be
    };
    Kind kind = Kind::nobody;
    std::string_view queue = {}, name = {};  // into the catalog, or into the topic that was asked about
    Policy policy = {};
};

class Catalog {
public:
    // Beside those of the tables each queue has "ping", which answers {"pong": true}. Throws std::logic_error where two
    // rows have one name, or take one topic.
    explicit Catalog(JobTables tables);

    // Nothing for a name that this program does not know.
    [[nodiscard]] JobType const* find(std::string_view queue, std::string_view name) const;
    // Also for a job that this program does not know (another version may): the contract's.
    [[nodiscard]] Policy policy(std::string_view queue, std::string_view name) const;
    [[nodiscard]] Destination destination(std::string_view topic) const;

private:
    void add(JobType const& type);

    std::map<std::pair<std::string_view, std::string_view>, JobType const*> types_;
    std::map<std::string_view, JobType const*> topics_;
    std::map<std::string_view, JobType const*> prefixes_;  // "mail." for "mail.*"
};

}  // namespace buildplan::queue::jobs
