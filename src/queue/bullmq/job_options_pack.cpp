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

// A map whose size is known when all of it is written: its head is put right at the end.
class MapPacker {
public:
    explicit MapPacker(std::string& out) : out_(out), at_(out.size()), pack_(out) { out_.append("\xde\0\0", 3); }
    ~MapPacker() { out_[at_ + 2] = static_cast<char>(size_); }
    MapPacker(MapPacker const&) = delete;
    MapPacker& operator=(MapPacker const&) = delete;

    Packer& operator[](std::string_view key) {
        ++size_;
        return pack_.text(key);
    }

private:
    std::string& out_;
    std::size_t at_;
    Packer pack_;
    std::uint8_t size_ = 0;  // there are not so many options
};

void pack(Packer& to, Keep const& keep) {
    if (!keep.age && !keep.limit) {
        if (!keep.count || *keep.count < 0) {
            to.boolean(false);
        } else if (*keep.count == 0) {
            to.boolean(true);
        } else {
            to.integer(*keep.count);
        }
        return;
    }
    to.map((keep.count ? 1U : 0U) + (keep.age ? 1U : 0U) + (keep.limit ? 1U : 0U));
    if (keep.age) to.text("age").integer(*keep.age);
    if (keep.count) to.text("count").integer(*keep.count);
    if (keep.limit) to.text("limit").integer(*keep.limit);
}

void pack(Packer& to, Backoff const& backoff) {
    to.map(backoff.jitter ? 3 : 2);
    to.text("type").text(backoff.type).text("delay").integer(backoff.delay.count());
    if (backoff.jitter) to.text("jitter").number(*backoff.jitter);
}

void pack(std::string& out, Deduplication const& deduplication) {
    MapPacker map(out);
    map["id"].text(deduplication.id);
    if (deduplication.ttl) map["ttl"].integer(deduplication.ttl->count());
    if (deduplication.extend) map["extend"].boolean(true);
    if (deduplication.replace) map["replace"].boolean(true);
    if (deduplication.keep_last_if_active) map["keepLastIfActive"].boolean(true);
    if (deduplication.reschedule) map["reschedule"].boolean(true);
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
    MapPacker map(out);
    map["attempts"].integer(options.attempts.value_or(0));
    if (options.job_id) map["jobId"].text(*options.job_id);
    if (options.backoff) pack(map["backoff"], *options.backoff);
    if (options.delay) map["delay"].integer(options.delay->count());
    if (options.priority) map["priority"].integer(*options.priority);
    if (options.lifo) map["lifo"].boolean(*options.lifo);
    if (options.remove_on_complete) pack(map["removeOnComplete"], *options.remove_on_complete);
    if (options.remove_on_fail) pack(map["removeOnFail"], *options.remove_on_fail);
    if (options.deduplication) {
        map["de"];
        pack(out, *options.deduplication);
    }
    if (options.parent)
        map["parent"].map(2).text("id").text(options.parent->id).text("queue").text(options.parent->queue);
    for (auto const& [what, name] : failure_names)
        if (options.on_failure == what) map[name].boolean(true);
    if (options.keep_logs) map["kl"].integer(*options.keep_logs);
    if (options.size_limit) map["sizeLimit"].integer(*options.size_limit);
    if (options.stack_trace_limit) map["stackTraceLimit"].integer(*options.stack_trace_limit);
    if (options.timestamp) map["timestamp"].integer(millis_of(*options.timestamp));
    if (options.telemetry) map["tm"].text(*options.telemetry);
    if (options.omit_context) map["omc"].boolean(*options.omit_context);
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
