// What an operator does with one job.
#include "queue/bullmq/queue.hpp"
#include "queue/bullmq/scripts.hpp"

namespace buildplan::queue::bullmq {

using enum QueueKeys::Type;

task<> Queue::update_data(std::string job_id, std::string data) {
    static auto const script = keyed<1>("updateData");
    auto command = script({keys_.job(job_id)}, data);
    auto const reply = co_await client_->command(std::move(command));
    require_done(reply, "changing the data of", job_id);
}

task<> Queue::update_progress(std::string job_id, std::string progress) {
    static auto const script = keyed<3>("updateProgress");
    auto command = script({keys_.job(job_id), keys_[events], keys_[meta]}, job_id, progress);
    auto const reply = co_await client_->command(std::move(command));
    require_done(reply, "noting the progress of", job_id);
}

task<std::int64_t> Queue::log(std::string job_id, std::string line, std::int64_t keep) {
    static auto const script = keyed<2>("addLog");
    auto command = script({keys_.job(job_id), keys_.job(job_id, "logs")}, job_id, line,
                          keep > 0 ? std::to_string(keep) : std::string());
    auto const reply = co_await client_->command(std::move(command));
    require_done(reply, "writing to the log of", job_id);
    co_return reply.as_integer();
}

task<Logs> Queue::logs(std::string job_id, Page page) {
    auto const key = keys_.job(job_id, "logs");
    std::vector<redis::Command> commands;
    commands.push_back(page.ascending ? redis::Command("LRANGE", key, page.first, page.last)
                                      : redis::Command("LRANGE", key, -(page.last + 1), -(page.first + 1)));
    commands.push_back(redis::Command("LLEN", key));
    auto replies = co_await client_->pipeline(std::move(commands));
    Logs logs{.lines = read_ids(std::move(replies.at(0))), .count = replies.at(1).as_integer()};
    if (!page.ascending) std::ranges::reverse(logs.lines);
    co_return logs;
}

task<> Queue::clear_logs(std::string job_id, std::int64_t keep) {
    auto const key = keys_.job(job_id, "logs");
    auto command = keep > 0 ? redis::Command("LTRIM", key, -keep, -1) : redis::Command("DEL", key);
    co_await client_->command(std::move(command));
}

task<> Queue::promote(std::string job_id) {
    static auto const script = keyed<9>("promote");
    auto command = script({keys_[delayed], keys_[wait], keys_[paused], keys_[meta], keys_[prioritized], keys_[active],
                           keys_[pc], keys_[events], keys_[marker]},
                          keys_[base], job_id);
    auto const reply = co_await client_->command(std::move(command));
    require_done(reply, "promoting", job_id);
}

task<> Queue::change_delay(std::string job_id, Millis delay) {
    static auto const script = keyed<4>("changeDelay");
    auto command = script({keys_[delayed], keys_[meta], keys_[marker], keys_[events]}, delay.count(),
                          millis_of(moment_now()), job_id, keys_.job(job_id));
    auto const reply = co_await client_->command(std::move(command));
    require_done(reply, "delaying", job_id);
}

task<> Queue::change_priority(std::string job_id, std::uint32_t priority, bool lifo) {
    static auto const script = keyed<7>("changePriority");
    auto command =
        script({keys_[wait], keys_[paused], keys_[meta], keys_[prioritized], keys_[active], keys_[pc], keys_[marker]},
               priority, keys_[base], job_id, lifo ? 1 : 0);
    auto const reply = co_await client_->command(std::move(command));
    require_done(reply, "prioritising", job_id);
}

task<> Queue::retry(std::string job_id, State from, bool reset_attempts) {
    static auto const script = keyed<9>("reprocessJob");
    auto const found = co_await job(job_id);
    bool const lifo = found && found->options().lifo.value_or(false);
    bool const was_failed = from == State::failed;
    auto command = script({keys_.job(job_id), keys_[events], keys_[was_failed ? failed : completed], keys_[wait],
                           keys_[meta], keys_[active], keys_[marker], keys_[prioritized], keys_[pc]},
                          job_id, lifo ? "RPUSH" : "LPUSH", was_failed ? "failedReason" : "returnvalue",
                          was_failed ? "failed" : "completed", reset_attempts ? 1 : 0, reset_attempts ? 1 : 0);
    auto const reply = co_await client_->command(std::move(command));
    require_done(reply, "retrying", job_id);
}

task<bool> Queue::remove(std::string job_id, bool with_children) {
    static auto const script = keyed<2>("removeJob");
    auto command = script({keys_.job(job_id), keys_[repeat]}, job_id, with_children ? 1 : 0, keys_[base]);
    auto const reply = co_await client_->command(std::move(command));
    require_done(reply, "removing", job_id);
    co_return reply.as_integer() == 1;
}

task<> Queue::remove_unprocessed_children(std::string job_id) {
    static auto const script = keyed<2>("removeUnprocessedChildren");
    auto command = script({keys_.job(job_id), keys_[meta]}, keys_[base], job_id);
    co_await client_->command(std::move(command));
}

task<bool> Queue::remove_child_dependency(std::string job_id, std::string parent_key) {
    static auto const script = keyed<1>("removeChildDependency");
    auto command = script({keys_[base]}, keys_.job(job_id), parent_key);
    auto const reply = co_await client_->command(std::move(command));
    require_done(reply, "taking from its parent", job_id);
    co_return reply.as_integer() == 0;
}

task<std::optional<std::string>> Queue::deduplicated_job(std::string deduplication_id) {
    auto reply = co_await client_->command("GET", keys_.deduplication(deduplication_id));
    co_return reply.is_nil() ? std::nullopt : std::optional(reply.take_text());
}

task<bool> Queue::remove_deduplication(std::string deduplication_id) {
    auto const reply = co_await client_->command("DEL", keys_.deduplication(deduplication_id));
    co_return reply.as_integer() > 0;
}

task<bool> Queue::remove_deduplication(std::string deduplication_id, std::string job_id) {
    static auto const script = keyed<1>("removeDeduplicationKey");
    auto command = script({keys_.deduplication(deduplication_id)}, job_id);
    auto const reply = co_await client_->command(std::move(command));
    co_return reply.as_integer() > 0;
}

}  // namespace buildplan::queue::bullmq
