#include "queue/bullmq/keys.hpp"

#include <stdexcept>

namespace buildplan::queue::bullmq {
namespace {

constexpr std::array<std::string_view, QueueKeys::types> type_names{"",
                                                                    "active",
                                                                    "wait",
                                                                    "waiting-children",
                                                                    "paused",
                                                                    "id",
                                                                    "delayed",
                                                                    "prioritized",
                                                                    "stalled-check",
                                                                    "completed",
                                                                    "failed",
                                                                    "stalled",
                                                                    "repeat",
                                                                    "limiter",
                                                                    "meta",
                                                                    "events",
                                                                    "pc",
                                                                    "marker",
                                                                    "de",
                                                                    "metrics:completed",
                                                                    "metrics:failed"};

std::string joined(std::initializer_list<std::string_view> parts) {
    std::size_t size = 0;
    for (auto const part : parts) size += part.size();
    std::string whole;
    whole.reserve(size);
    for (auto const part : parts) whole += part;
    return whole;
}

}  // namespace

std::string prefix_of(OrganizationId organization) { return joined({"buildplan:{", organization.to_string(), "}"}); }

QueueKeys::QueueKeys(std::string_view prefix, std::string_view queue) {
    if (queue.empty()) throw std::invalid_argument("a queue needs a name");
    if (queue.contains(':')) throw std::invalid_argument("the name of a queue has no colon");
    qualified_ = static_cast<std::uint32_t>(prefix.size() + 1 + queue.size());
    queue_ = static_cast<std::uint32_t>(queue.size());
    std::size_t size = 0;
    for (auto const name : type_names) size += qualified_ + 1U + name.size();
    names_.reserve(size);
    for (std::size_t i = 0; i < type_names.size(); ++i) {
        begins_[i] = static_cast<std::uint32_t>(names_.size());
        names_.append(prefix).append(1, ':').append(queue).append(1, ':').append(type_names[i]);
    }
    begins_[types] = static_cast<std::uint32_t>(names_.size());
}

std::string QueueKeys::job(std::string_view job_id) const { return joined({(*this)[base], job_id}); }
std::string QueueKeys::job(std::string_view job_id, std::string_view part) const {
    return joined({(*this)[base], job_id, ":", part});
}
std::string QueueKeys::deduplication(std::string_view deduplication_id) const {
    return joined({(*this)[de], ":", deduplication_id});
}
std::string QueueKeys::scheduler(std::string_view scheduler_id) const {
    return joined({(*this)[repeat], ":", scheduler_id});
}

// Names of queues have no colon, prefixes and ids of jobs may: the prefix of `like` is taken where it fits.
JobKey parse_job_key(std::string_view key, QueueKeys const& like) {
    auto const prefix = like.prefix();
    std::size_t queue_at = 0;
    if (key.size() > prefix.size() && key.starts_with(prefix) && key[prefix.size()] == ':') {
        queue_at = prefix.size() + 1;
    } else {
        auto const id_colon = key.rfind(':');
        auto const queue_colon = id_colon == 0 || id_colon == key.npos ? key.npos : key.rfind(':', id_colon - 1);
        if (queue_colon == key.npos) return {.qualified_name = {}, .id = key};
        queue_at = queue_colon + 1;
    }
    auto const end = key.find(':', queue_at);
    if (end == key.npos) return {.qualified_name = {}, .id = key};
    return {.qualified_name = key.substr(0, end), .id = key.substr(end + 1)};
}

}  // namespace buildplan::queue::bullmq
