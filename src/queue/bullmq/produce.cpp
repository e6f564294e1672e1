#include "queue/bullmq/produce.hpp"

#include "queue/bullmq/pack.hpp"
#include "queue/bullmq/refused.hpp"
#include "queue/bullmq/scripts.hpp"

namespace buildplan::queue::bullmq {
namespace {

using enum QueueKeys::Type;

// Commands are encoded on the way out and copied there; these are only made up here.
std::string& scratch() {
    thread_local std::string buffer;
    buffer.clear();
    return buffer;
}

void pack_parent(Packer& to, Parent const& parent, OnFailure on_failure) {
    static constexpr std::string_view names[] = {"", "fpof", "cpof", "idof", "rdof"};
    auto const failure = names[static_cast<std::size_t>(on_failure)];
    to.map(failure.empty() ? 2 : 3).text("id").text(parent.id).text("queueKey").text(parent.queue);
    if (!failure.empty()) to.text(failure).boolean(true);
}

}  // namespace

redis::Command add_command(QueueKeys const& keys, NewJob const& job, Moment now, Family family) {
    auto const& options = job.options;
    check(options, job.data.size());

    auto& packed = scratch();
    Packer to(packed);
    to.array(10);
    to.text(keys[base]);
    to.text(options.job_id ? std::string_view(*options.job_id) : family.id);
    to.text(job.name);
    to.integer(millis_of(options.timestamp.value_or(now)));
    if (options.parent) {
        auto const parent_key = options.parent->queue + ':' + options.parent->id;
        to.text(parent_key).text(parent_key + ":dependencies");
        pack_parent(to, *options.parent, options.on_failure);
    } else {
        to.nil().nil().nil();
    }
    to.nil();  // of no job scheduler
    if (options.deduplication) {
        to.text(keys.deduplication(options.deduplication->id));
    } else {
        to.nil();
    }
    family.in_flow ? to.integer(1) : to.nil();
    auto const arguments = packed.size();
    pack_options(packed, options);

    auto const whole = std::string_view(packed);
    auto const first = whole.substr(0, arguments), third = whole.substr(arguments);
    if (family.waits_for_children) {
        static auto const script = keyed<6>("addParentJob");
        return script({keys[meta], keys[id], keys[delayed], keys[waiting_children], keys[completed], keys[events]},
                      first, job.data, third);
    }
    if (options.delay && options.delay->count() > 0) {
        static auto const script = keyed<6>("addDelayedJob");
        return script({keys[marker], keys[meta], keys[id], keys[delayed], keys[completed], keys[events]}, first,
                      job.data, third);
    }
    if (options.priority.value_or(0) > 0) {
        static auto const script = keyed<9>("addPrioritizedJob");
        return script({keys[marker], keys[meta], keys[id], keys[prioritized], keys[delayed], keys[completed],
                       keys[active], keys[events], keys[pc]},
                      first, job.data, third);
    }
    static auto const script = keyed<9>("addStandardJob");
    return script({keys[wait], keys[paused], keys[meta], keys[id], keys[completed], keys[delayed], keys[active],
                   keys[events], keys[marker]},
                  first, job.data, third);
}

std::string read_added(redis::Value reply, NewJob const& job) {
    require_done(reply, "adding", job.name);
    return reply.take_text();
}

redis::Command release_parent_command(Parent const& parent, Moment now) {
    static auto const script = keyed<2>("releaseParentIfNoPendingDependencies");
    auto const key = parent.queue + ':' + parent.id;
    return script({key, key + ":dependencies"}, parent.queue, parent.id, millis_of(now));
}

}  // namespace buildplan::queue::bullmq
