#include "peer.hpp"
#include "queue/bullmq/cron.hpp"

namespace buildplan::queue::bullmq::peer {
namespace {

std::vector<State> states_of(bj::object const& call, std::string_view key = "states") {
    std::vector<State> states;
    for (auto const& each : call.at(key).as_array()) states.push_back(parse_state(each.as_string()).value());
    return states;
}

bj::value show(std::optional<std::string> const& found) { return found ? bj::value(*found) : bj::value(nullptr); }

task<bj::value> add(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    auto job = new_job(call);
    co_return bj::value(co_await queue.add(std::move(job)));
}

task<bj::value> add_bulk(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    std::vector<NewJob> jobs;
    for (auto const& job : call.at("jobs").as_array()) jobs.push_back(new_job(job.as_object()));
    auto const ids = co_await queue.add(std::move(jobs));
    co_return peer::show(ids);
}

FlowJob flow_of(Peer const& peer, bj::object const& node, std::string const& prefix) {
    FlowJob flow{.queue = QueueKeys(text(node, "prefix", prefix), text(node, "queueName")), .job = new_job(node)};
    if (auto const* children = node.if_contains("children"))
        for (auto const& child : children->as_array())
            flow.children.push_back(flow_of(peer, child.as_object(), prefix));
    return flow;
}

bj::value show(Added const& added) {
    bj::array children;
    for (auto const& child : added.children) children.push_back(show(child));
    return bj::object{{"id", added.id}, {"key", added.key}, {"children", children}};
}

task<bj::value> add_flows_(Peer& peer, bj::object const& call) {
    std::vector<FlowJob> flows;
    for (auto const& flow : call.at("flows").as_array())
        flows.push_back(flow_of(peer, flow.as_object(), text(call, "prefix", "bull")));
    auto const added = co_await add_flows(*peer.client, std::move(flows), JobOptions{});
    bj::array shown;
    for (auto const& each : added) shown.push_back(show(each));
    co_return shown;
}

bj::value show(FlowTree const& tree) {
    bj::array children;
    for (auto const& child : tree.children) children.push_back(show(child));
    return bj::object{{"job", peer::show(tree.job)}, {"children", children}};
}

task<bj::value> get_flow_(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    auto const tree = co_await get_flow(queue, text(call, "id"));
    co_return tree ? show(*tree) : bj::value(nullptr);
}

std::optional<Millis> millis(bj::object const& object, std::string_view key) {
    return object.contains(key) ? std::optional(Millis{integer(object, key)}) : std::nullopt;
}

task<bj::value> upsert(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    auto const& given = call.at("repeat").as_object();
    Repeat repeat;
    if (given.contains("pattern")) repeat.pattern = text(given, "pattern");
    repeat.every = millis(given, "every");
    repeat.time_zone = text(given, "tz");
    if (auto const start = millis(given, "startDate")) repeat.start = Moment{*start};
    if (auto const end = millis(given, "endDate")) repeat.end = Moment{*end};
    if (given.contains("limit")) repeat.limit = integer(given, "limit");
    repeat.offset = millis(given, "offset");
    repeat.immediately = truth(given, "immediately");
    JobTemplate job{.name = ""};
    if (auto const* wanted = call.if_contains("template")) {
        auto made = new_job(wanted->as_object());
        job = {.name = made.name, .data = made.data, .options = made.options};
    }
    auto const id = co_await upsert_scheduler(queue, options_of(call, "defaults"), text(call, "id"), repeat, job);
    co_return show(id);
}

bj::value show(SchedulerInfo const& info) {
    bj::object shown{{"key", info.id}, {"name", info.name}, {"iterationCount", info.count}};
    if (info.next) shown["next"] = millis_of(*info.next);
    if (info.repeat.pattern) shown["pattern"] = *info.repeat.pattern;
    if (info.repeat.every) shown["every"] = info.repeat.every->count();
    if (!info.repeat.time_zone.empty()) shown["tz"] = info.repeat.time_zone;
    if (info.repeat.limit) shown["limit"] = *info.repeat.limit;
    return shown;
}

task<bj::value> schedulers(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    auto const found = co_await list_schedulers(queue, {.ascending = true});
    bj::array shown;
    for (auto const& each : found) shown.push_back(show(each));
    co_return shown;
}

task<bj::value> scheduler(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    auto const found = co_await get_scheduler(queue, text(call, "id"));
    co_return found ? show(*found) : bj::value(nullptr);
}

task<bj::value> remove_scheduler_(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    co_return co_await remove_scheduler(queue, text(call, "id"));
}

task<bj::value> job(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    auto const found = co_await queue.job(text(call, "id"));
    co_return found ? peer::show(*found) : bj::value(nullptr);
}

task<bj::value> jobs(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    auto const found = co_await queue.jobs(
        states_of(call),
        {.first = integer(call, "start"), .last = integer(call, "end", -1), .ascending = truth(call, "asc")});
    bj::array shown;
    for (auto const& each : found) shown.push_back(peer::show(each));
    co_return shown;
}

task<bj::value> state(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    auto const found = co_await queue.state(text(call, "id"));
    co_return bj::value(to_string(found));
}

task<bj::value> counts(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    auto const found = co_await queue.counts(states_of(call));
    bj::object shown;
    for (auto const& [which, count] : found) shown[to_string(which)] = count;
    co_return shown;
}

task<bj::value> wait_finished(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    auto const outcome = co_await wait_until_finished(queue, text(call, "id"), Millis{integer(call, "ttl", 10'000)});
    co_return bj::object{{"state", to_string(outcome.state)}, {"value", outcome.value}};
}

task<bj::value> logs(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    auto const found = co_await queue.logs(
        text(call, "id"),
        {.first = integer(call, "start"), .last = integer(call, "end", -1), .ascending = !truth(call, "desc")});
    co_return bj::object{{"logs", peer::show(found.lines)}, {"count", found.count}};
}

// Calls that answer with nothing or one number.
task<bj::value> manage(Peer& peer, bj::object const& call) {
    auto queue = queue_of(peer, call);
    auto const what = text(call, "do"), id = text(call, "id");
    if (what == "announce") co_await queue.announce();
    if (what == "pause") co_await queue.pause();
    if (what == "resume") co_await queue.resume();
    if (what == "drain") co_await queue.drain(truth(call, "delayed"));
    if (what == "obliterate") co_await queue.obliterate(truth(call, "force"));
    if (what == "promoteJobs") co_await queue.promote_all();
    if (what == "retryJobs") co_await queue.retry_all(parse_state(text(call, "state", "failed")).value());
    if (what == "isPaused") co_return co_await queue.is_paused();
    if (what == "isMaxed") co_return co_await queue.is_maxed();
    if (what == "clean") {
        auto const removed = co_await queue.clean(parse_state(text(call, "state", "completed")).value(),
                                                  Millis{integer(call, "grace")}, integer(call, "limit"));
        co_return peer::show(removed);
    }
    if (what == "trimEvents") co_await queue.trim_events(integer(call, "most"));
    if (what == "setGlobalConcurrency") co_await queue.set_concurrency(integer(call, "most"));
    if (what == "removeGlobalConcurrency") co_await queue.set_concurrency({});
    if (what == "setGlobalRateLimit")
        co_await queue.set_rate_limit(
            RateLimit{.max = integer(call, "max"), .duration = Millis{integer(call, "duration")}});
    if (what == "rateLimit") co_await queue.limit_for(Millis{integer(call, "for")});
    if (what == "removeRateLimitKey") co_await queue.remove_limit();
    if (what == "getRateLimitTtl") {
        auto const left = co_await queue.limited_for();
        co_return left.count();
    }
    if (what == "promote") co_await queue.promote(id);
    if (what == "changeDelay") co_await queue.change_delay(id, Millis{integer(call, "delay")});
    if (what == "changePriority")
        co_await queue.change_priority(id, static_cast<std::uint32_t>(integer(call, "priority")), truth(call, "lifo"));
    if (what == "retry") co_await queue.retry(id, parse_state(text(call, "state", "failed")).value());
    if (what == "remove") co_return co_await queue.remove(id);
    if (what == "removeUnprocessedChildren") co_await queue.remove_unprocessed_children(id);
    if (what == "removeChildDependency") co_return co_await queue.remove_child_dependency(id, text(call, "parentKey"));
    if (what == "updateData") co_await queue.update_data(id, bj::serialize(call.at("data")));
    if (what == "updateProgress") co_await queue.update_progress(id, bj::serialize(call.at("progress")));
    if (what == "log") co_return co_await queue.log(id, text(call, "line"), integer(call, "keep"));
    if (what == "clearLogs") co_await queue.clear_logs(id, integer(call, "keep"));
    if (what == "getDeduplicationJobId") co_return show(co_await queue.deduplicated_job(id));
    if (what == "removeDeduplicationKey") co_return co_await queue.remove_deduplication(id);
    if (what == "publish") co_await publish(queue, text(call, "name"), {{"text", text(call, "text")}});
    co_return nullptr;
}

// A job taken by hand.
task<bj::value> by_hand(Peer& peer, bj::object const& call) {
    auto const queue = queue_of(peer, call);
    auto const& keys = queue.keys();
    auto const what = text(call, "do"), id = text(call, "id");
    Claim const claim{.token = text(call, "token", "token"), .lock_duration = Millis{integer(call, "lock", 30'000)}};
    auto const now = moment_now();
    Next next;
    if (what == "take") {
        auto reply = co_await peer.client->command(move_to_active_command(keys, claim, now));
        next = read_next(std::move(reply));
    } else {
        Job job;
        job.id = id;
        auto here = queue;
        if (auto found = co_await here.job(id)) job = std::move(*found);
        Finish const finish{.fetch_next = truth(call, "fetchNext")};
        if (what == "complete") {
            auto reply = co_await peer.client->command(
                complete_command(keys, job, job.options(), bj::serialize(call.at("value")), claim, finish, now));
            next = read_finished(std::move(reply), id);
        } else if (what == "fail") {
            Failure const failure{.reason = text(call, "reason"), .stacktrace = add_stack("", "Error", {})};
            auto reply =
                co_await peer.client->command(fail_command(keys, job, job.options(), failure, claim, finish, now));
            next = read_finished(std::move(reply), id);
        } else if (what == "giveBack") {
            auto replies = co_await peer.client->pipeline(give_back_commands(keys, job, claim.token));
            require_done(replies.at(0), what, id);
        } else if (what == "delay") {
            Delay const delay{.by = Millis{integer(call, "delay")}, .counts_as_attempt = false};
            auto reply = co_await peer.client->command(delay_command(keys, id, delay, claim, now));
            next = read_finished(std::move(reply), id);
        } else if (what == "extendLock") {
            Lock const lock{.job_id = id, .token = claim.token};
            auto const reply = co_await peer.client->command(extend_lock_command(keys, lock, claim.lock_duration));
            co_return reply.as_integer();
        } else if (what == "stalled") {
            Stalled const how{.max_count = integer(call, "max", 1), .interval = Millis{integer(call, "interval", 1)}};
            auto reply = co_await peer.client->command(stalled_command(keys, how, now));
            co_return peer::show(read_ids(std::move(reply)));
        }
    }
    co_return next.job ? peer::show(*next.job) : bj::value(nullptr);
}

task<bj::value> work(Peer& peer, bj::object const& call) {
    auto const queue = queue_of(peer, call);
    WorkerOptions options;
    options.concurrency = static_cast<unsigned>(integer(call, "concurrency", 1));
    options.name = text(call, "name");
    options.lock_duration = Millis{integer(call, "lockDuration", 30'000)};
    options.stalled.interval = Millis{integer(call, "stalledInterval", 30'000)};
    options.stalled.max_count = integer(call, "maxStalledCount", 1);
    options.idle = Millis{integer(call, "idle", 5'000)};
    if (auto const* limiter = call.if_contains("limiter"))
        options.limit = RateLimit{.max = integer(limiter->as_object(), "max"),
                                  .duration = Millis{integer(limiter->as_object(), "duration")}};
    if (call.contains("metrics")) options.runner.finish.metrics_points = integer(call, "metrics");
    auto const number = ++peer.last_worker;
    peer.workers[number] = std::make_unique<Worker>(peer.loop, *peer.client, queue.keys(), process, options);
    peer.workers[number]->start();
    co_return number;
}

task<bj::value> stop(Peer& peer, bj::object const& call) {
    auto const found = peer.workers.find(integer(call, "worker"));
    auto const worker = std::move(found->second);
    peer.workers.erase(found);
    co_await worker->stop(Millis{integer(call, "grace", 5'000)});
    co_return nullptr;
}

task<bj::value> cancel(Peer& peer, bj::object const& call) {
    auto const after = truth(call, "retry") ? AfterCancel::retry : AfterCancel::fail;
    co_return peer.workers.at(integer(call, "worker"))->cancel(text(call, "id"), text(call, "reason"), after);
}

task<> tell_events(std::unique_ptr<Events> events, std::int64_t call) {
    for (;;) {
        auto const news = co_await events->next(Millis{60'000});
        for (auto const& event : news) {
            bj::object fields;
            for (auto const& [name, value] : event.fields) fields[name] = value;
            say({{"listening", call}, {"event", event.name}, {"id", event.id}, {"fields", fields}});
        }
    }
}

task<bj::value> listen(Peer& peer, bj::object const& call) {
    auto const queue = queue_of(peer, call);
    auto events = std::make_unique<Events>(*peer.client, queue.keys());
    co_await events->begin();
    peer.loop.spawn("events", tell_events(std::move(events), integer(call, "call")));
    co_return nullptr;
}

// The next so many times of a pattern, one after the other.
task<bj::value> cron(Peer&, bj::object const& call) {
    auto const pattern = Cron::parse(text(call, "pattern"));
    auto from = Moment{Millis{integer(call, "from")}};
    bj::array times;
    for (auto left = integer(call, "count", 1); left > 0; --left) {
        auto const next = pattern.next(from, text(call, "tz"));
        if (!next) break;
        times.push_back(millis_of(*next));
        from = *next;
    }
    co_return times;
}

}  // namespace

std::map<std::string_view, Operation> const& operations() {
    static auto const all = [] {
        std::map<std::string_view, Operation> made{{"add", add},
                                                   {"addBulk", add_bulk},
                                                   {"addFlows", add_flows_},
                                                   {"getFlow", get_flow_},
                                                   {"upsertJobScheduler", upsert},
                                                   {"getJobSchedulers", schedulers},
                                                   {"getJobScheduler", scheduler},
                                                   {"removeJobScheduler", remove_scheduler_},
                                                   {"job", job},
                                                   {"jobs", jobs},
                                                   {"state", state},
                                                   {"counts", counts},
                                                   {"waitUntilFinished", wait_finished},
                                                   {"logs", logs},
                                                   {"work", work},
                                                   {"stop", stop},
                                                   {"cancel", cancel},
                                                   {"listen", listen},
                                                   {"cron", cron}};
        for (auto const* name : {"announce",
                                 "pause",
                                 "resume",
                                 "drain",
                                 "obliterate",
                                 "promoteJobs",
                                 "retryJobs",
                                 "isPaused",
                                 "isMaxed",
                                 "clean",
                                 "trimEvents",
                                 "setGlobalConcurrency",
                                 "removeGlobalConcurrency",
                                 "setGlobalRateLimit",
                                 "rateLimit",
                                 "removeRateLimitKey",
                                 "getRateLimitTtl",
                                 "promote",
                                 "changeDelay",
                                 "changePriority",
                                 "retry",
                                 "remove",
                                 "removeUnprocessedChildren",
                                 "removeChildDependency",
                                 "updateData",
                                 "updateProgress",
                                 "log",
                                 "clearLogs",
                                 "getDeduplicationJobId",
                                 "removeDeduplicationKey",
                                 "publish"})
            made[name] = manage;
        for (auto const* name : {"take", "complete", "fail", "giveBack", "delay", "extendLock", "stalled"})
            made[name] = by_hand;
        return made;
    }();
    return all;
}

}  // namespace buildplan::queue::bullmq::peer
