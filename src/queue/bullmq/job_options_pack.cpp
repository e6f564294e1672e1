// JobOptions to MessagePack and from JSON, with the short names that BullMQ stores some of them under.
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <stdexcept>

#include "queue/bullmq/job_options.hpp"
#include "queue/bullmq/pack.hpp"

namespace buildplan::queue::bullmq {
namespace {

namespace bj = boost::json;

struct FailureName {
    OnFailure what;
    std::string_view name;
};
constexpr FailureName failure_names[] = {{OnFailure::fail_parent, "fpof"},
                                         {OnFailure::continue_parent, "cpof"},
                                         {OnFailure::ignore_dependency, "idof"},
                                         {OnFailure::remove_dependency, "rdof"}};

// Two ways to write a map down: as MessagePack and as JSON.
class PackedMap {
public:
    explicit PackedMap(std::string& out) : out_(out), at_(out.size()), pack_(out) { out_.append("\xde\0\0", 3); }
    // Its size is known when all of it is written.
    ~PackedMap() { out_[at_ + 2] = static_cast<char>(size_); }
    PackedMap(PackedMap const&) = delete;
    PackedMap& operator=(PackedMap const&) = delete;

    void put(std::string_view key, std::int64_t number) { at(key).integer(number); }
    void put(std::string_view key, double number) { at(key).number(number); }
    void put(std::string_view key, std::string_view text) { at(key).text(text); }
    void yes(std::string_view key, bool truth = true) { at(key).boolean(truth); }
    template <class Fill>
    void map(std::string_view key, Fill fill) {
        at(key);
        PackedMap inner(out_);
        fill(inner);
    }

private:
    Packer& at(std::string_view key) {
        ++size_;
        return pack_.text(key);
    }
    std::string& out_;
    std::size_t at_;
    Packer pack_;
    std::uint8_t size_ = 0;  // there are not so many options
};

class JsonMap {
public:
    explicit JsonMap(bj::object& object) : object_(object) {}
    void put(std::string_view key, std::int64_t number) { object_[key] = number; }
    void put(std::string_view key, double number) { object_[key] = number; }
    void put(std::string_view key, std::string_view text) { object_[key] = text; }
    void yes(std::string_view key, bool truth = true) { object_[key] = truth; }
    template <class Fill>
    void map(std::string_view key, Fill fill) {
        bj::object inner;
        JsonMap to(inner);
        fill(to);
        object_[key] = std::move(inner);
    }

private:
    bj::object& object_;
};

// `100`, `true` (none), `false` (all), or which.
template <class Map>
void put(Map& map, std::string_view key, Keep const& keep) {
    if (keep.age || keep.limit) {
        map.map(key, [&](auto& inner) {
            if (keep.age) inner.put("age", *keep.age);
            if (keep.count) inner.put("count", *keep.count);
            if (keep.limit) inner.put("limit", *keep.limit);
        });
    } else if (keep.count.value_or(-1) <= 0) {
        map.yes(key, keep.count.value_or(-1) == 0);
    } else {
        map.put(key, *keep.count);
    }
}

template <class Map>
void write(Map& map, JobOptions const& options) {
    if (options.job_id) map.put("jobId", *options.job_id);
    if (options.backoff)
        map.map("backoff", [&](auto& inner) {
            inner.put("type", options.backoff->type);
            inner.put("delay", options.backoff->delay.count());
            if (options.backoff->jitter) inner.put("jitter", *options.backoff->jitter);
        });
    if (options.delay) map.put("delay", options.delay->count());
    if (options.priority) map.put("priority", std::int64_t{*options.priority});
    if (options.lifo) map.yes("lifo", *options.lifo);
    if (options.remove_on_complete) put(map, "removeOnComplete", *options.remove_on_complete);
    if (options.remove_on_fail) put(map, "removeOnFail", *options.remove_on_fail);
    if (options.deduplication)
        map.map("de", [&](auto& inner) {
            auto const& deduplication = *options.deduplication;
            inner.put("id", deduplication.id);
            if (deduplication.ttl) inner.put("ttl", deduplication.ttl->count());
            if (deduplication.extend) inner.yes("extend");
            if (deduplication.replace) inner.yes("replace");
            if (deduplication.keep_last_if_active) inner.yes("keepLastIfActive");
            if (deduplication.reschedule) inner.yes("reschedule");
        });
    if (options.parent)
        map.map("parent", [&](auto& inner) {
            inner.put("id", options.parent->id);
            inner.put("queue", options.parent->queue);
        });
    for (auto const& [what, name] : failure_names)
        if (options.on_failure == what) map.yes(name);
    if (options.keep_logs) map.put("kl", *options.keep_logs);
    if (options.size_limit) map.put("sizeLimit", *options.size_limit);
    if (options.stack_trace_limit) map.put("stackTraceLimit", *options.stack_trace_limit);
    if (options.timestamp) map.put("timestamp", millis_of(*options.timestamp));
    if (options.telemetry) map.put("tm", *options.telemetry);
    if (options.omit_context) map.yes("omc", *options.omit_context);
}

std::optional<std::int64_t> integer(bj::value const& value) {
    if (value.is_int64()) return value.get_int64();
    if (value.is_double()) return static_cast<std::int64_t>(value.get_double());
    return {};
}

std::optional<std::int64_t> integer(bj::object const& object, std::string_view key) {
    auto const* const value = object.if_contains(key);
    return value ? integer(*value) : std::nullopt;
}

bool is_true(bj::object const& object, std::string_view key) {
    auto const* const value = object.if_contains(key);
    return value && value->is_bool() && value->get_bool();
}

std::optional<std::string> text(bj::object const& object, std::string_view key) {
    auto const* const value = object.if_contains(key);
    if (!value || !value->is_string()) return {};
    return std::string(std::string_view(value->get_string()));
}

std::optional<Millis> millis(bj::object const& object, std::string_view key) {
    auto const number = integer(object, key);
    return number ? std::optional(Millis{*number}) : std::nullopt;
}

std::optional<Keep> keep(bj::object const& object, std::string_view key) {
    auto const* const value = object.if_contains(key);
    if (!value) return {};
    if (value->is_bool()) return value->get_bool() ? Keep::none() : Keep::all();
    if (auto const* map = value->if_object())
        return Keep{.count = integer(*map, "count"), .age = integer(*map, "age"), .limit = integer(*map, "limit")};
    if (auto const number = integer(*value)) return Keep::last(*number);
    return {};
}

std::optional<Backoff> backoff(bj::object const& object) {
    auto const* const value = object.if_contains("backoff");
    if (!value) return {};
    if (auto const number = integer(*value)) return Backoff{.type = "fixed", .delay = Millis{*number}};
    auto const* const map = value->if_object();
    if (!map) return {};
    Backoff made;
    made.type = text(*map, "type").value_or("fixed");
    made.delay = millis(*map, "delay").value_or(Millis{0});
    if (auto const* jitter = map->if_contains("jitter"); jitter && jitter->is_number())
        made.jitter = jitter->to_number<double>();
    return made;
}

std::optional<Deduplication> deduplication(bj::object const& object) {
    auto const* const value = object.if_contains("de");
    auto const* const map = value ? value->if_object() : nullptr;
    if (!map) return {};
    return Deduplication{.id = text(*map, "id").value_or(""),
                         .ttl = millis(*map, "ttl"),
                         .extend = is_true(*map, "extend"),
                         .replace = is_true(*map, "replace"),
                         .keep_last_if_active = is_true(*map, "keepLastIfActive"),
                         .reschedule = is_true(*map, "reschedule")};
}

}  // namespace

void pack_options(std::string& out, JobOptions const& options) {
    PackedMap map(out);
    map.put("attempts", options.attempts.value_or(0));
    write(map, options);
}

bj::object options_object(JobOptions const& options) {
    bj::object object;
    JsonMap map(object);
    if (options.attempts) map.put("attempts", *options.attempts);
    write(map, options);
    return object;
}

JobOptions parse_options(std::string_view json) {
    unsigned char buffer[4096];
    bj::monotonic_resource memory(buffer);
    bj::error_code error;
    auto const value = bj::parse(json, error, &memory);
    auto const* const object = error ? nullptr : value.if_object();
    if (!object) throw std::invalid_argument("the options of a job are a JSON object");
    JobOptions options;
    options.job_id = text(*object, "jobId");
    options.attempts = integer(*object, "attempts");
    options.backoff = backoff(*object);
    options.delay = millis(*object, "delay");
    if (auto const priority = integer(*object, "priority"); priority && *priority >= 0)
        options.priority = static_cast<std::uint32_t>(*priority);
    if (object->contains("lifo")) options.lifo = is_true(*object, "lifo");
    options.remove_on_complete = keep(*object, "removeOnComplete");
    options.remove_on_fail = keep(*object, "removeOnFail");
    options.deduplication = deduplication(*object);
    if (auto const* parent = object->if_contains("parent"); parent && parent->is_object())
        options.parent = Parent{.id = text(parent->get_object(), "id").value_or(""),
                                .queue = text(parent->get_object(), "queue").value_or("")};
    for (auto const& [what, name] : failure_names)
        if (is_true(*object, name)) options.on_failure = what;
    options.keep_logs = integer(*object, "kl");
    options.size_limit = integer(*object, "sizeLimit");
    options.stack_trace_limit = integer(*object, "stackTraceLimit");
    if (auto const timestamp = millis(*object, "timestamp")) options.timestamp = Moment{*timestamp};
    options.telemetry = text(*object, "tm");
    if (object->contains("omc")) options.omit_context = is_true(*object, "omc");
    return options;
}

}  // namespace buildplan::queue::bullmq
