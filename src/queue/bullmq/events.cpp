#include "queue/bullmq/events.hpp"

namespace buildplan::queue::bullmq {
namespace {

using enum QueueKeys::Type;

Event read_event(redis::Value entry) {
    Event event;
    auto& parts = entry.items();
    event.id = parts.at(0).take_text();
    auto& fields = parts.at(1).items();
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        if (fields[i].as_text() == "event")
            event.name = fields[i + 1].take_text();
        else
            event.fields.emplace_back(fields[i].take_text(), fields[i + 1].take_text());
    }
    return event;
}

}  // namespace

std::string_view Event::operator[](std::string_view field) const noexcept {
    for (auto const& [name_, value] : fields)
        if (name_ == field) return value;
    return {};
}

Events::Events(redis::Client& client, QueueKeys keys, std::string after)
    : client_(&client), keys_(std::move(keys)), after_(std::move(after)) {}

task<> Events::begin() {
    if (!after_.empty()) co_return;
    auto reply = co_await client_->command("XREVRANGE", keys_[events], "+", "-", "COUNT", 1);
    after_ = reply.items().empty() ? "0-0" : reply.items()[0].items().at(0).take_text();
}

task<std::vector<Event>> Events::next(Millis patience) {
    co_await begin();
    if (!connection_) connection_ = client_->blocking(std::string(keys_[events]));
    std::vector<Event> found;
    auto const wait = std::max<std::int64_t>(patience.count(), 1);  // 0 would be for ever
    redis::Command read("XREAD", "COUNT", 1000, "BLOCK", wait, "STREAMS", keys_[events], after_);
    auto reply = co_await connection_->command(std::move(read), Millis{wait});
    if (reply.is_nil() || reply.items().empty()) co_return found;
    // One stream: [[key, entries]], or in RESP3 {key: entries}.
    auto& first = reply.items()[0];
    auto& entries = first.is_aggregate() ? first.items().at(1) : reply.items().at(1);
    for (auto& entry : entries.items()) found.push_back(read_event(std::move(entry)));
    if (!found.empty()) after_ = found.back().id;
    co_return found;
}

task<Outcome> wait_until_finished(Queue queue, std::string job_id, Millis patience) {
    Events events(queue.client(), queue.keys());
    co_await events.begin();
    auto outcome = co_await queue.outcome(job_id);
    auto const until = std::chrono::steady_clock::now() + patience;
    while (outcome.state == State::waiting) {
        auto const left = std::chrono::ceil<Millis>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0) co_return outcome;
        auto const news = co_await events.next(left);
        for (auto const& event : news) {
            if (event["jobId"] != job_id) continue;
            // Told by the event itself: the job may be removed as soon as it is finished.
            if (event.name == "completed")
                co_return Outcome{.state = State::completed, .value = std::string(event["returnvalue"])};
            if (event.name == "failed")
                co_return Outcome{.state = State::failed, .value = std::string(event["failedReason"])};
        }
    }
    co_return outcome;
}

task<> publish(Queue queue, std::string name, std::vector<std::pair<std::string, std::string>> fields,
               std::int64_t most_events) {
    redis::Command add("XADD", queue.keys()[events], "MAXLEN", "~", most_events, "*", "event", name);
    for (auto const& [field, value] : fields) add.arg(field).arg(value);
    co_await queue.client().command(std::move(add));
}

}  // namespace buildplan::queue::bullmq
