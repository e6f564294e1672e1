#include "queue/outbox/hands.hpp"

#include <fmt/core.h>

#include "queue/outbox/relay.hpp"

namespace buildplan::queue::outbox {

std::size_t Hands::note(queries::JobRow const& row) {
    organizations.push_back(row.organization_id);
    ids.push_back(row.id);
    queues.emplace_back();
    names.emplace_back();
    errors.emplace_back();
    bytes += row.payload.text.size();
    return ids.size() - 1;
}

void Hands::add(queries::JobRow row, std::string queue, std::string name, jobs::Policy policy) {
    auto const number = note(row);
    queues[number] = queue;
    names[number] = name;
    rows.push_back(number);
    jobs.push_back({.organization = row.organization_id,
                    .entry = {.id = row.id, .round = row.round},
                    .queue = std::move(queue),
                    .name = std::move(name),
                    .data = std::move(row.payload),
                    .policy = policy,
                    .created_at = row.created_at,
                    .tier = std::move(row.tier),
                    .cap = row.cap});
}

void Hands::take_new(std::vector<queries::JobRow> found, jobs::Catalog const& catalog) {
    for (auto& row : found) {
        auto const to = catalog.destination(row.topic);
        switch (to.kind) {
            case jobs::Destination::Kind::job: {
                std::string queue(to.queue), name(to.name);
                add(std::move(row), std::move(queue), std::move(name), to.policy);
                break;
            }
            case jobs::Destination::Kind::nobody:
                note(row);
                break;
            case jobs::Destination::Kind::misdirected: {
                auto const number = note(row);
                queues[number] = misdirected_queue;
                errors[number] = fmt::format("{} names no queue and job.", row.topic);
                break;
            }
        }
    }
}

void Hands::take_again(std::vector<queries::JobRow> found, jobs::Catalog const& catalog) {
    for (auto& row : found) {
        auto queue = std::move(row.queue).value_or("");
        auto name = std::move(row.job).value_or("");
        auto const policy = catalog.policy(queue, name);
        add(std::move(row), std::move(queue), std::move(name), policy);
    }
}

void Hands::refuse(std::vector<std::string> refusals) {
    for (std::size_t i = 0; i < refusals.size(); ++i) {
        if (!refusals[i].empty()) errors[rows.at(i)] = std::move(refusals[i]);
    }
}

}  // namespace buildplan::queue::outbox
