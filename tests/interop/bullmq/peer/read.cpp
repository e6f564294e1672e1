#include "peer.hpp"

namespace buildplan::queue::bullmq::peer {

std::string text(bj::object const& call, std::string_view key, std::string_view otherwise) {
    auto const* const value = call.if_contains(key);
    return value && value->is_string() ? std::string(std::string_view(value->get_string())) : std::string(otherwise);
}

std::int64_t integer(bj::object const& call, std::string_view key, std::int64_t otherwise) {
    auto const* const value = call.if_contains(key);
    return value && value->is_number() ? value->to_number<std::int64_t>() : otherwise;
}

bool truth(bj::object const& call, std::string_view key) {
    auto const* const value = call.if_contains(key);
    return value && value->is_bool() && value->get_bool();
}

Queue queue_of(Peer& peer, bj::object const& call) {
    return Queue(*peer.client, QueueKeys(text(call, "prefix", "bull"), text(call, "queue")),
                 options_of(call, "defaults"));
}

// The public names of BullMQ's options, where they are stored under others.
JobOptions options_of(bj::object const& job, std::string_view key) {
    auto const* const given = job.if_contains(key);
    if (!given || !given->is_object()) return {};
    static constexpr std::pair<std::string_view, std::string_view> names[] = {{"deduplication", "de"},
                                                                              {"failParentOnFailure", "fpof"},
                                                                              {"continueParentOnFailure", "cpof"},
                                                                              {"ignoreDependencyOnFailure", "idof"},
                                                                              {"removeDependencyOnFailure", "rdof"},
                                                                              {"keepLogs", "kl"}};
    auto options = given->get_object();
    for (auto const& [name, stored] : names)
        if (auto const* value = options.if_contains(name)) {
            auto const copy = *value;
            options.erase(name);
            options[stored] = copy;
        }
    return parse_options(bj::serialize(options));
}

NewJob new_job(bj::object const& job) {
    auto const* const data = job.if_contains("data");
    return {.name = text(job, "name"), .data = data ? bj::serialize(*data) : "{}", .options = options_of(job)};
}

namespace {

bj::value json_or_null(std::string const& text) {
    bj::error_code error;
    auto value = bj::parse(text, error);
    return error ? bj::value(nullptr) : value;
}

}  // namespace

bj::value show(Job const& job) {
    bj::object shown{{"id", job.id},
                     {"name", job.name},
                     {"data", json_or_null(job.data)},
                     {"opts", json_or_null(job.options_json)},
                     {"timestamp", millis_of(job.timestamp)},
                     {"delay", job.delay.count()},
                     {"priority", job.priority},
                     {"attemptsStarted", job.attempts_started},
                     {"attemptsMade", job.attempts_made},
                     {"stalledCounter", job.stalled},
                     {"failedReason", job.failed_reason},
                     {"returnvalue", json_or_null(job.return_value)},
                     {"progress", json_or_null(job.progress)},
                     {"stacktrace", json_or_null(job.stacktrace)},
                     {"parentKey", job.parent_key},
                     {"repeatJobKey", job.repeat_job_key},
                     {"processedBy", job.processed_by}};
    return shown;
}

bj::array show(std::vector<std::string> const& texts) {
    bj::array shown;
    for (auto const& each : texts) shown.emplace_back(each);
    return shown;
}

// Each step in this order, where the data has it.
task<Result> process(Run& run) {
    auto const parsed = bj::parse(run.job().data);
    static bj::object const nothing;
    auto const& data = parsed.is_object() ? parsed.get_object() : nothing;
    if (run.job().name == "ping") co_return Completed{R"({"pong":true})"};
    if (auto const* progress = data.if_contains("progress")) co_await run.progress(bj::serialize(*progress));
    if (data.contains("log")) co_await run.log(text(data, "log"));
    if (data.contains("update")) co_await run.update_data(bj::serialize(data.at("update")));
    if (data.contains("sleep")) co_await sleep_for(Millis{integer(data, "sleep")});
    if (data.contains("delayOnce") && run.job().attempts_started == 1)
        co_return Later{Millis{integer(data, "delayOnce")}};
    if (data.contains("limitOnce") && run.job().attempts_started == 1)
        co_return Limited{Millis{integer(data, "limitOnce")}};
    if (data.contains("unrecoverable")) throw Unrecoverable(text(data, "unrecoverable"));
    if (data.contains("fail") && run.job().attempts_made < integer(data, "times", 1'000'000))
        throw std::runtime_error(text(data, "fail"));
    if (data.contains("addChildren") && run.job().attempts_started == 1) {
        for (auto const& child : data.at("addChildren").as_array()) {
            auto job = new_job(child.as_object());
            job.options.parent = Parent{.id = run.job().id, .queue = std::string(run.keys().qualified_name())};
            Queue queue(run.queue().client(), QueueKeys(run.keys().prefix(), text(child.as_object(), "queueName")), {});
            co_await queue.add(std::move(job));
        }
        if (co_await run.wait_for_children()) co_return Moved{};
    }
    if (truth(data, "children") || data.contains("addChildren")) {
        bj::object values;
        auto const found = co_await run.children_values();
        for (auto const& [key, value] : found) values[key] = bj::parse(value);
        co_return Completed{bj::serialize(values)};
    }
    co_return Completed{data.contains("returns") ? bj::serialize(data.at("returns")) : "null"};
}

}  // namespace buildplan::queue::bullmq::peer
