#include "queue/bullmq/scripts.hpp"

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <stdexcept>

#include "core/text.hpp"
#include "embedded/bullmq.hpp"

namespace buildplan::queue::bullmq {
namespace {

std::string_view file(std::string_view name) {
    for (auto const& each : embedded::bullmq())
        if (each.name == name) return each.text;
    throw std::logic_error(fmt::format("{} is not among BullMQ's scripts", name));
}

}  // namespace

std::string_view bullmq_version() { return trim(file("VERSION")); }
std::string_view bullmq_license() { return file("LICENSE"); }

redis::Script const& find_script(std::string_view name, std::size_t keys) {
    static std::mutex mutex;
    static std::map<std::string, redis::Script, std::less<>> made;
    auto const full = fmt::format("{}-{}.lua", name, keys);
    std::scoped_lock const lock(mutex);
    auto const known = made.find(full);
    if (known != made.end()) return known->second;
    return made.try_emplace(full, std::string(file(full))).first->second;
}

}  // namespace buildplan::queue::bullmq
