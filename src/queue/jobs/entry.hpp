// An entry of the ledger: the outbox row that a job came from. Its id is the job's id in the queue, so that giving it
// to the queue twice is one job; a job that was brought back from the dead is another one, "ID.ROUND", so that what is
// left of the dead one in the queue does not stand in its way.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "core/id.hpp"

namespace buildplan::queue::jobs {

using EntryId = Id<struct EntryTag>;

struct Entry {
    EntryId id;
    std::int32_t round = 0;

    [[nodiscard]] std::string job_id() const {
        auto text = id.to_string();
        if (round > 0) text += '.' + std::to_string(round);
        return text;
    }
    // Nothing for the id of a job that is none of ours: our rows are version 7, which nobody else's random ids are.
    static std::optional<Entry> parse(std::string_view job_id) noexcept {
        constexpr std::size_t length = 36;
        auto const id = EntryId::parse(job_id.substr(0, length));
        if (!id || id->value.bytes[6] >> 4 != 7) return std::nullopt;
        Entry entry{.id = *id};
        if (job_id.size() == length) return entry;
        auto const* const end = job_id.data() + job_id.size();
        if (job_id[length] != '.' || job_id.size() == length + 1) return std::nullopt;
        auto const [at, error] = std::from_chars(job_id.data() + length + 1, end, entry.round);
        if (error != std::errc{} || at != end || entry.round <= 0) return std::nullopt;
        return entry;
    }
    friend bool operator==(Entry const&, Entry const&) = default;
};

}  // namespace buildplan::queue::jobs
