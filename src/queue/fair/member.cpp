#include "queue/fair/member.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace buildplan::queue::fair {
namespace {

constexpr std::size_t uuid_size = 36;

bool is_queue_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

std::optional<Member> make(std::string_view organization, std::string_view queue) {
    auto const id = OrganizationId::parse(organization);
    if (!id || id->to_string() != organization || !is_queue_name(queue)) return std::nullopt;
    return Member{*id, std::string(queue)};
}

}  // namespace

std::string Member::to_string() const { return fmt::format("{}:{}", organization.to_string(), queue); }

std::optional<Member> Member::parse(std::string_view text) {
    if (text.size() <= uuid_size || text[uuid_size] != ':') return std::nullopt;
    return make(text.substr(0, uuid_size), text.substr(uuid_size + 1));
}

std::optional<Member> Member::of_marker(std::string_view key) {
    constexpr std::string_view begin = "buildplan:{", end = ":marker";
    if (!key.starts_with(begin) || !key.ends_with(end)) return std::nullopt;
    key = key.substr(begin.size(), key.size() - begin.size() - end.size());
    if (key.size() < uuid_size + 2 || key.substr(uuid_size, 2) != "}:") return std::nullopt;
    return make(key.substr(0, uuid_size), key.substr(uuid_size + 2));
}

}  // namespace buildplan::queue::fair
