// For the tests of this folder: a queue of a new organization on the Redis that all tests share.
#pragma once

#include "core/text.hpp"
#include "queue/bullmq/consume.hpp"
#include "queue/bullmq/produce.hpp"
#include "redis/test_loop.hpp"

namespace buildplan::queue::bullmq {

using namespace std::chrono_literals;
using redis::run;
using redis::wait_until;

inline task<std::unique_ptr<redis::Client>> test_client(Loop& loop) {
    return redis::connect(loop, test_support::redis().url());
}

inline QueueKeys new_queue(std::string_view name = queues::agent_jobs) { return {OrganizationId::make(), name}; }

inline task<std::string> add(redis::Client& client, QueueKeys const& keys, NewJob job) {
    auto reply = co_await client.command(add_command(keys, job, moment_now()));
    co_return read_added(std::move(reply), job);
}

inline task<Next> take(redis::Client& client, QueueKeys const& keys, std::string token) {
    Claim const claim{.token = std::move(token)};
    auto reply = co_await client.command(move_to_active_command(keys, claim, moment_now()));
    co_return read_next(std::move(reply));
}

inline task<std::int64_t> length(redis::Client& client, QueueKeys const& keys, QueueKeys::Type type) {
    static constexpr std::array lists{QueueKeys::wait, QueueKeys::active, QueueKeys::paused};
    bool const list = std::ranges::find(lists, type) != lists.end();
    auto const reply = co_await client.command(list ? "LLEN" : "ZCARD", keys[type]);
    co_return reply.as_integer();
}

}  // namespace buildplan::queue::bullmq
