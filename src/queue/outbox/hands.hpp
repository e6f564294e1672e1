// Hands: rows of the outbox that a relay has locked, as jobs for the sink and as marks for the rows. Of interest to the
// relay alone.
#pragma once

#include <string>
#include <vector>

#include "queue/jobs/catalog.hpp"
#include "queue/outbox/queries.gen.hpp"
#include "queue/outbox/sink.hpp"

namespace buildplan::queue::outbox {

struct Hands {
    // One for each row.
    std::vector<OrganizationId> organizations;
    std::vector<jobs::EntryId> ids;
    std::vector<std::string> queues, names, errors;  // empty where there is none

    std::vector<QueuedJob> jobs;
    std::vector<std::size_t> rows;  // the row of each job
    std::size_t bytes = 0;

    [[nodiscard]] std::size_t size() const noexcept { return ids.size(); }
    [[nodiscard]] bool empty() const noexcept { return ids.empty(); }

    // Rows that are to become what their topic says.
    void take_new(std::vector<queries::JobRow> found, jobs::Catalog const& catalog);
    // Rows that are a job already.
    void take_again(std::vector<queries::JobRow> found, jobs::Catalog const& catalog);
    // What the sink would not have.
    void refuse(std::vector<std::string> refusals);

private:
    void add(queries::JobRow row, std::string queue, std::string name, jobs::Policy policy);
    std::size_t note(queries::JobRow const& row);
};

}  // namespace buildplan::queue::outbox
