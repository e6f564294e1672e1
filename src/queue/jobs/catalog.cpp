#include "queue/jobs/catalog.hpp"

#include <fmt/core.h>

#include <stdexcept>

#include "queue/jobs/context.hpp"

namespace buildplan::queue::jobs {
namespace {

// Whether somebody works on a queue, for people and for other programs.
task<postgres::Json> ping(JobContext&) { co_return postgres::Json{R"({"pong":true})"}; }

constexpr JobType pings[] = {{queues::agent_jobs, "ping", ping},   {queues::github, "ping", ping},
                             {queues::email, "ping", ping},        {queues::webhook, "ping", ping},
                             {queues::documents, "ping", ping},    {queues::billing, "ping", ping},
                             {queues::notifications, "ping", ping}};
static_assert(std::size(pings) == queues::all.size(), "every queue answers a ping");

}  // namespace

Catalog::Catalog(JobTables tables) {
    for (auto const& type : pings) add(type);
    for (auto const& table : tables) {
        for (auto const& type : table) add(type);
    }
}

void Catalog::add(JobType const& type) {
    if (!types_.try_emplace({type.queue, type.name}, &type).second)
        throw std::logic_error(fmt::format("two jobs of {} are called {}", type.queue, type.name));
    for (auto topic : std::span(type.topics).first(type.topic_count)) {
        bool const all = topic.ends_with('*');
        if (all) topic.remove_suffix(1);
        if (!(all ? prefixes_ : topics_).try_emplace(topic, &type).second)
            throw std::logic_error(fmt::format("two jobs take the topic {}", topic));
    }
}

JobType const* Catalog::find(std::string_view queue, std::string_view name) const {
    auto const found = types_.find({queue, name});
    return found == types_.end() ? nullptr : found->second;
}

Policy Catalog::policy(std::string_view queue, std::string_view name) const {
    auto const* const type = find(queue, name);
    return type != nullptr ? type->policy : usual_policy;
}

Destination Catalog::destination(std::string_view topic) const {
    if (topic.starts_with("job.")) {
        auto const rest = topic.substr(4);
        auto const dot = rest.find('.');
        auto const queue = rest.substr(0, dot);
        auto const name = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
        if (!is_queue(queue) || !is_job_name(name)) return {.kind = Destination::Kind::misdirected};
        return {.kind = Destination::Kind::job, .queue = queue, .name = name, .policy = policy(queue, name)};
    }
    JobType const* type = nullptr;
    if (auto const exact = topics_.find(topic); exact != topics_.end()) {
        type = exact->second;
    } else if (auto after = prefixes_.upper_bound(topic); after != prefixes_.begin()) {
        // Of "a." and "a.b." the longer one, which is also the later.
        while (after != prefixes_.begin() && type == nullptr) {
            --after;
            if (topic.starts_with(after->first)) type = after->second;
        }
    }
    if (type == nullptr) return {};
    return {.kind = Destination::Kind::job, .queue = type->queue, .name = type->name, .policy = type->policy};
}

}  // namespace buildplan::queue::jobs
