#include "queue/fair/probe.hpp"

#include <array>

#include "queue/fair/scripts.hpp"

namespace buildplan::queue::fair {

redis::Command probe_command(bullmq::QueueKeys const& keys, Timestamp now) {
    using bullmq::QueueKeys;
    std::array<std::string_view, 7> const of{
        keys[QueueKeys::wait], keys[QueueKeys::active],  keys[QueueKeys::prioritized], keys[QueueKeys::delayed],
        keys[QueueKeys::meta], keys[QueueKeys::limiter], keys[QueueKeys::marker]};
    auto command = scripts().probe.call(std::span<std::string_view const>(of));
    command.arg(std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count());
    return command;
}

Standing read_standing(redis::Value const& reply) {
    auto const word = reply[0].as_text();
    auto const kind = word == "READY"    ? Standing::Kind::ready
                      : word == "EMPTY"  ? Standing::Kind::empty
                      : word == "MAXED"  ? Standing::Kind::maxed
                      : word == "PAUSED" ? Standing::Kind::paused
                                         : Standing::Kind::due;
    return {.kind = kind,
            .when = Timestamp{std::chrono::milliseconds{reply[1].as_integer()}},
            .active = reply[2].as_integer()};
}

task<Standing> probe(redis::Client& client, bullmq::QueueKeys const& keys) {
    auto command = probe_command(keys, now());
    command.idempotent();
    auto const reply = co_await client.command(std::move(command));
    co_return read_standing(reply);
}

}  // namespace buildplan::queue::fair
