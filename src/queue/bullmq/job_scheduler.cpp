#include "queue/bullmq/job_scheduler.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <charconv>
#include <stdexcept>

#include "queue/bullmq/cron.hpp"
#include "queue/bullmq/pack.hpp"
#include "queue/bullmq/scripts.hpp"

namespace buildplan::queue::bullmq {
namespace {

namespace bj = boost::json;
using enum QueueKeys::Type;

// When the next is due, not before `now`.
std::optional<Moment> next_by_pattern(Repeat const& repeat, Moment now) {
    if (repeat.immediately) return moment_now();
    auto const from = repeat.start && *repeat.start > now ? *repeat.start : now;
    return Cron::parse(*repeat.pattern).next(from, repeat.time_zone, repeat.end);
}

std::string next_id(std::string_view scheduler, std::optional<Moment> next) {
    return "repeat:" + std::string(scheduler) + ":" + (next ? std::to_string(millis_of(*next)) : "undefined");
}

void set(bj::object& object, std::string_view key, std::optional<Moment> const& moment) {
    if (moment) object[key] = millis_of(*moment);
}
void set(bj::object& object, std::string_view key, std::optional<Millis> const& millis) {
    if (millis) object[key] = millis->count();
}

bj::object repeat_object(Repeat const& repeat, std::int64_t count) {
    bj::object object;
    if (repeat.pattern) object["pattern"] = *repeat.pattern;
    set(object, "every", repeat.every);
    if (!repeat.time_zone.empty()) object["tz"] = repeat.time_zone;
    set(object, "startDate", repeat.start);
    set(object, "endDate", repeat.end);
    if (repeat.limit) object["limit"] = *repeat.limit;
    if (repeat.every) set(object, "offset", repeat.offset);
    object["count"] = count;
    return object;
}

void add_iteration(bj::object& options, std::string_view scheduler, std::optional<Moment> next, Moment now,
                   bj::object repeat) {
    options["jobId"] = next_id(scheduler, next);
    options["delay"] = next ? std::max<std::int64_t>((*next - now).count(), 0) : 0;
    options["timestamp"] = millis_of(now);
    if (next)
        options["prevMillis"] = millis_of(*next);
    else
        options.erase("prevMillis");
    options["repeatJobKey"] = scheduler;
    options["repeat"] = std::move(repeat);
}

std::string packed(bj::value const& value) {
    std::string out;
    Packer(out).json(value);
    return out;
}

void check(Repeat const& repeat, Moment now) {
    if (repeat.pattern.has_value() == repeat.every.has_value())
        throw std::invalid_argument("a job scheduler has a pattern or an interval, one of them");
    if (repeat.every && repeat.every->count() <= 0) throw std::invalid_argument("an interval is longer than nothing");
    if (repeat.immediately && repeat.start)
        throw std::invalid_argument("a job scheduler begins immediately or at a date, not both");
    if (repeat.end && *repeat.end < now) throw std::invalid_argument("a job scheduler does not end in the past");
    check_time_zone(repeat.time_zone);
    if (repeat.pattern) static_cast<void>(Cron::parse(*repeat.pattern));
}

std::int64_t integer(bj::object const& object, std::string_view key, std::int64_t otherwise = 0) {
    auto const* const value = object.if_contains(key);
    if (!value) return otherwise;
    if (value->is_int64()) return value->get_int64();
    if (value->is_double()) return static_cast<std::int64_t>(value->get_double());
    return otherwise;
}

Repeat read_repeat(bj::object const& object) {
    Repeat repeat;
    if (auto const* pattern = object.if_contains("pattern"); pattern && pattern->is_string())
        repeat.pattern = std::string(std::string_view(pattern->get_string()));
    if (auto const every = integer(object, "every")) repeat.every = Millis{every};
    if (auto const* zone = object.if_contains("tz"); zone && zone->is_string())
        repeat.time_zone = std::string_view(zone->get_string());
    if (auto const start = integer(object, "startDate")) repeat.start = Moment{Millis{start}};
    if (auto const end = integer(object, "endDate")) repeat.end = Moment{Millis{end}};
    if (object.contains("limit")) repeat.limit = integer(object, "limit");
    if (auto const offset = integer(object, "offset")) repeat.offset = Millis{offset};
    return repeat;
}

}  // namespace

task<std::optional<std::string>> upsert_scheduler(Queue queue, JobOptions defaults, std::string id, Repeat repeat,
                                                  JobTemplate job) {
    static auto const script = keyed<11>("addJobScheduler");
    auto const now = moment_now();
    check(repeat, now);
    auto const options = job.options.over(defaults);
    bullmq::check(options, job.data.size());
    constexpr std::int64_t first = 1;
    if (repeat.limit && first > *repeat.limit) co_return std::nullopt;
    std::optional<Moment> next;
    if (repeat.pattern) {
        next = next_by_pattern(repeat, now);
        if (!next) co_return std::nullopt;
        next = std::max(*next, now);
    }
    auto const& name = job.name.empty() ? id : job.name;

    bj::object scheduler;
    scheduler["name"] = name;
    if (repeat.pattern) scheduler["pattern"] = *repeat.pattern;
    set(scheduler, "every", repeat.every);
    if (!repeat.time_zone.empty()) scheduler["tz"] = repeat.time_zone;
    set(scheduler, "startDate", repeat.start);
    set(scheduler, "endDate", repeat.end);
    if (repeat.limit) scheduler["limit"] = *repeat.limit;
    if (repeat.every) set(scheduler, "offset", repeat.offset);

    auto own = options_object(options);
    auto iteration = own;
    auto const added = moment_now();
    add_iteration(iteration, id, next, added, repeat_object(repeat, first));

    auto const& keys = queue.keys();
    auto command = script({keys[bullmq::QueueKeys::repeat], keys[delayed], keys[wait], keys[paused], keys[meta],
                           keys[prioritized], keys[marker], keys[QueueKeys::id], keys[events], keys[pc], keys[active]},
                          next ? std::to_string(millis_of(*next)) : std::string(), packed(scheduler), id, job.data,
                          packed(own), packed(iteration), millis_of(added), keys[base], "");
    auto reply = co_await queue.client().command(std::move(command));
    require_done(reply, "scheduling", id);
    co_return reply.items().at(0).take_text();
}

task<std::optional<std::string>> schedule_next(redis::Client& client, QueueKeys const& keys, Job const& job) {
    static auto const script = keyed<12>("updateJobScheduler");
    auto parsed = bj::parse(job.options_json);
    auto& options = parsed.as_object();
    auto const* const stored = options.if_contains("repeat");
    if (!stored || !stored->is_object()) co_return std::nullopt;
    auto repeat_json = stored->get_object();
    auto const repeat = read_repeat(repeat_json);
    auto const count = integer(repeat_json, "count") + 1;
    auto now = moment_now();
    if (repeat.limit && count > *repeat.limit) co_return std::nullopt;
    if (repeat.end && now > *repeat.end) co_return std::nullopt;
    now = std::max(now, Moment{Millis{integer(options, "prevMillis")}});
    std::optional<Moment> next;
    if (repeat.pattern) {
        next = next_by_pattern(repeat, now);
        if (!next) co_return std::nullopt;
        next = std::max(*next, now);
    }
    repeat_json["count"] = count;
    if (!repeat.every || !repeat.offset) repeat_json.erase("offset");
    if (!options.contains("attempts")) options["attempts"] = 0;
    if (auto* backoff = options.if_contains("backoff"); backoff && backoff->is_number())
        *backoff = bj::object{{"type", "fixed"}, {"delay", *backoff}};
    auto const added = moment_now();
    add_iteration(options, job.repeat_job_key, next, added, std::move(repeat_json));

    auto command =
        script({keys[bullmq::QueueKeys::repeat], keys[delayed], keys[wait], keys[paused], keys[meta], keys[prioritized],
                keys[marker], keys[id], keys[events], keys[pc], keys.job(job.id), keys[active]},
               next ? std::to_string(millis_of(*next)) : std::string(), job.repeat_job_key, job.data, packed(parsed),
               millis_of(added), keys[base], job.id);
    auto reply = co_await client.command(std::move(command));
    co_return reply.is_text() ? std::optional(reply.take_text()) : std::nullopt;
}

task<bool> remove_scheduler(Queue queue, std::string id) {
    static auto const script = keyed<3>("removeJobScheduler");
    auto const& keys = queue.keys();
    auto command = script({keys[repeat], keys[delayed], keys[events]}, id, keys[base]);
    auto const reply = co_await queue.client().command(std::move(command));
    co_return reply.as_integer() == 0;
}

namespace {

std::optional<SchedulerInfo> read_scheduler(std::string id, redis::Value fields, std::optional<Moment> next) {
    if (!fields.is_aggregate() || fields.items().empty()) return {};
    SchedulerInfo info;
    info.id = std::move(id);
    info.next = next;
    auto& items = fields.items();
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
        auto const name = items[i].as_text();
        auto& value = items[i + 1];
        auto const text = value.as_text();
        std::int64_t number = 0;
        std::from_chars(text.data(), text.data() + text.size(), number);
        if (name == "name")
            info.name = text;
        else if (name == "ic")
            info.count = number;
        else if (name == "pattern")
            info.repeat.pattern = text;
        else if (name == "every")
            info.repeat.every = Millis{number};
        else if (name == "tz")
            info.repeat.time_zone = text;
        else if (name == "startDate")
            info.repeat.start = Moment{Millis{number}};
        else if (name == "endDate")
            info.repeat.end = Moment{Millis{number}};
        else if (name == "limit")
            info.repeat.limit = number;
        else if (name == "offset")
            info.repeat.offset = Millis{number};
        else if (name == "data")
            info.data = text;
        else if (name == "opts")
            info.options_json = text;
    }
    return info;
}

}  // namespace

task<std::optional<SchedulerInfo>> get_scheduler(Queue queue, std::string id) {
    static auto const script = keyed<1>("getJobScheduler");
    auto command = script({queue.keys()[repeat]}, id);
    auto reply = co_await queue.client().command(std::move(command));
    if (!reply.is_aggregate() || reply.size() < 2 || reply[1].is_nil()) co_return std::nullopt;
    auto const next = Moment{Millis{static_cast<std::int64_t>(reply[1].as_real())}};
    co_return read_scheduler(std::move(id), std::move(reply.items()[0]), next);
}

task<std::vector<SchedulerInfo>> list_schedulers(Queue queue, Page page) {
    auto reply = co_await queue.client().command(page.ascending ? "ZRANGE" : "ZREVRANGE", queue.keys()[repeat],
                                                 page.first, page.last, "WITHSCORES");
    auto& items = reply.items();
    std::vector<std::string> ids;
    std::vector<redis::Command> commands;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
        ids.push_back(items[i].take_text());
        commands.push_back(redis::Command("HGETALL", queue.keys().scheduler(ids.back())));
    }
    auto fields = co_await queue.client().pipeline(std::move(commands));
    std::vector<SchedulerInfo> found;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        auto const next = Moment{Millis{static_cast<std::int64_t>(items[2 * i + 1].as_real())}};
        if (auto info = read_scheduler(std::move(ids[i]), std::move(fields[i]), next))
            found.push_back(std::move(*info));
    }
    co_return found;
}

task<std::int64_t> count_schedulers(Queue queue) {
    auto const reply = co_await queue.client().command("ZCARD", queue.keys()[repeat]);
    co_return reply.as_integer();
}

}  // namespace buildplan::queue::bullmq
