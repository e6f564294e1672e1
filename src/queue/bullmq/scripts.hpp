// BullMQ's Lua scripts, as they came with its npm package when this was built. Each is made at its first call and lives
// as long as the program. `call<9>("addStandardJob", …)` finds "addStandardJob-9.lua": a script that takes another
// number of keys is another script, and is missed at the first call rather than misused.
#pragma once

#include <array>
#include <string_view>

#include "redis/script.hpp"

namespace buildplan::queue::bullmq {

// The version of the npm package, "6.7.0".
std::string_view bullmq_version();
// Its licence (MIT), which wants to be kept with copies of it.
std::string_view bullmq_license();

template <std::size_t Keys>
class KeyedScript {
public:
    explicit KeyedScript(redis::Script const& script) : script_(&script) {}
    template <class... Args>
    [[nodiscard]] redis::Command operator()(std::array<std::string_view, Keys> const& keys, Args const&... args) const {
        auto made = script_->call(std::span<std::string_view const>(keys));
        (made.arg(args), ...);
        return made;
    }

private:
    redis::Script const* script_;
};

// Throws std::logic_error when there is none of that name and number of keys.
redis::Script const& find_script(std::string_view name, std::size_t keys);

// For a function-local static: `static auto const script = keyed<9>("addStandardJob");`
template <std::size_t Keys>
KeyedScript<Keys> keyed(std::string_view name) {
    return KeyedScript<Keys>(find_script(name, Keys));
}

}  // namespace buildplan::queue::bullmq
