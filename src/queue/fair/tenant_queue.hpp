// For the tests of this folder: one organization's queue on the Redis that all tests share, worked on step by step with
// BullMQ's own scripts, and an index of its own.
#pragma once

#include "queue/bullmq/consume.hpp"
#include "queue/bullmq/produce.hpp"
#include "queue/fair/index.hpp"
#include "redis/test_loop.hpp"

namespace buildplan::queue::fair {

using namespace std::chrono_literals;

struct Stand {
    explicit Stand(redis::Client& client_, std::vector<std::string> queues = {"agent-jobs"})
        : client(client_),
          index(client_, {.name = "work", .queues = queues}, queues, fmt::format("{{stand{}}}", ++count())) {}
    static int& count() {
        static int made = 0;
        return made;
    }
    redis::Client& client;
    Index index;

    task<std::optional<Turn>> pick(std::chrono::milliseconds lasts = 30s) {
        return index.pick({.tiers = {Tier::free, Tier::pro, Tier::enterprise}}, lasts);
    }
    // How a turn ends for a queue that stands so. What is looked at again, is in an hour: nothing but the rule of the
    // index brings it back before.
    task<Moved> settle(Turn turn, Standing standing) {
        using Kind = Standing::Kind;
        Settlement const end{.turn = std::move(turn),
                             .jobs = 1,
                             .then = standing.kind == Kind::ready   ? Settlement::Then::ready
                                     : standing.kind == Kind::empty ? Settlement::Then::empty
                                                                    : Settlement::Then::later,
                             .look_again = 1h};
        co_return co_await index.settle(end, std::nullopt, 30s);
    }
};

struct TenantQueue {
    explicit TenantQueue(redis::Client& client_, std::string queue = "agent-jobs")
        : client(client_), member{OrganizationId::make(), std::move(queue)}, keys(member.keys()) {}
    redis::Client& client;
    Member member;
    bullmq::QueueKeys keys;

    // As somebody does who knows nothing of the index.
    task<std::string> add(bullmq::JobOptions options = {}) {
        bullmq::NewJob job{.name = "job", .options = std::move(options)};
        auto reply = co_await client.command(bullmq::add_command(keys, job, bullmq::moment_now()));
        co_return bullmq::read_added(std::move(reply), job);
    }
    task<> cap(int most) { co_await client.command("HSET", keys[bullmq::QueueKeys::meta], "concurrency", most); }
    task<std::optional<bullmq::Job>> take(std::string token, std::chrono::milliseconds lock = 30s) {
        bullmq::Claim const claim{.token = std::move(token), .lock_duration = lock};
        auto reply = co_await client.command(bullmq::move_to_active_command(keys, claim, bullmq::moment_now()));
        auto next = bullmq::read_next(std::move(reply));
        co_return std::move(next.job);
    }
    // Throws bullmq::Refused.
    task<std::optional<bullmq::Job>> complete(bullmq::Job job, std::string token, bool fetch_next = false) {
        bullmq::Claim const claim{.token = std::move(token)};
        bullmq::Finish const how{.fetch_next = fetch_next};
        auto const options = job.options();
        auto reply = co_await client.command(
            bullmq::complete_command(keys, job, options, "null", claim, how, bullmq::moment_now()));
        auto next = bullmq::read_finished(std::move(reply), job.id);
        co_return std::move(next.job);
    }
    task<Standing> probe() { return fair::probe(client, keys); }
    task<Standing::Kind> kind() { co_return (co_await probe()).kind; }
    task<std::size_t> recover() {
        auto reply = co_await client.command(
            bullmq::stalled_command(keys, {.interval = std::chrono::milliseconds{1}}, bullmq::moment_now()));
        co_return bullmq::read_ids(std::move(reply)).size();
    }
    task<std::int64_t> active() {
        auto const reply = co_await client.command("LLEN", keys[bullmq::QueueKeys::active]);
        co_return reply.as_integer();
    }
    task<bool> marked() {
        auto const reply = co_await client.command("EXISTS", keys[bullmq::QueueKeys::marker]);
        co_return reply.as_integer() == 1;
    }
};

}  // namespace buildplan::queue::fair
