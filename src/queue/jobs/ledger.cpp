#include "queue/jobs/ledger.hpp"

#include "core/json/utf8.hpp"
#include "queue/jobs/queries.gen.hpp"

namespace buildplan::queue::jobs {

task<bool> is_owed(postgres::Pool& pool, Principal const& principal, Entry entry) {
    queries::Standing const query{.id = entry.id};
    auto const row = co_await pool.one(principal, query);
    co_return row && !row->settled && row->round == entry.round;
}

task<bool> mark_done(postgres::Pool& pool, Principal const& principal, Entry entry) {
    queries::MarkDone const query{.id = entry.id, .round = entry.round};
    auto const rows = co_await pool.run(principal, query, postgres::Lane::writing);
    co_return rows > 0;
}

task<bool> mark_dead(postgres::Pool& pool, Principal const& principal, Entry entry, std::string error,
                     std::int32_t attempts) {
    auto const kept = kept_error(error);
    queries::MarkDead const query{.error = kept, .attempts = attempts, .id = entry.id, .round = entry.round};
    auto const rows = co_await pool.run(principal, query, postgres::Lane::writing);
    co_return rows > 0;
}

std::string kept_error(std::string_view text) {
    constexpr std::size_t most = 4000;
    constexpr std::string_view replacement = "\xEF\xBF\xBD";
    std::string kept;
    auto const* const end = text.data() + text.size();
    for (auto const* at = text.data(); at != end;) {
        auto const step = json::utf8::step(at, end);
        auto const piece = step.well_formed && *at != '\0' ? std::string_view(at, step.length) : replacement;
        if (kept.size() + piece.size() > most) break;
        kept += piece;
        at += step.length;
    }
    return kept.empty() ? std::string("It failed and did not say why.") : kept;
}

}  // namespace buildplan::queue::jobs
