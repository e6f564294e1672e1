// Made by script/gen from queries.sql beside it. Change that, not this.
#pragma once

#include <cstdint>
#include <string_view>

#include "postgres/statement.hpp"
#include "queue/jobs/entry.hpp"

namespace buildplan::queue::jobs::queries {

struct Standing {
    EntryId id;

    static constexpr char sql[] =
        R"sql(SELECT round, done_at IS NOT NULL OR failed_at IS NOT NULL AS settled FROM outbox WHERE id = $1)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
    };
    static constexpr postgres::Statement statement{"queue.jobs.standing", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::one;
    struct Row {
        std::int32_t round;
        bool settled;
    };
    void bind(postgres::Parameters& parameters) const { parameters.add(id); }
    static Row read(postgres::RowView row) {
        return {
            .round = row.get<std::int32_t>(0),
            .settled = row.get<bool>(1),
        };
    }
};

// No row: it was done, or has been given up.
struct MarkDone {
    EntryId id;
    std::int32_t round;

    static constexpr char sql[] =
        R"sql(UPDATE outbox SET done_at = now() WHERE id = $1 AND round = $2 AND done_at IS NULL AND failed_at IS NULL)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::uuid,  // id
        postgres::oid::int4,  // round
    };
    static constexpr postgres::Statement statement{"queue.jobs.mark_done", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(id);
        parameters.add(round);
    }
};

struct MarkDead {
    std::string_view error;
    std::int32_t attempts;
    EntryId id;
    std::int32_t round;

    static constexpr char sql[] = R"sql(UPDATE outbox SET failed_at = now(), error = $1, attempts = $2
WHERE id = $3 AND round = $4 AND done_at IS NULL AND failed_at IS NULL)sql";
    static constexpr std::uint32_t parameter_types[] = {
        postgres::oid::text,  // error
        postgres::oid::int4,  // attempts
        postgres::oid::uuid,  // id
        postgres::oid::int4,  // round
    };
    static constexpr postgres::Statement statement{"queue.jobs.mark_dead", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    using Row = void;
    void bind(postgres::Parameters& parameters) const {
        parameters.add(error);
        parameters.add(attempts);
        parameters.add(id);
        parameters.add(round);
    }
};

}  // namespace buildplan::queue::jobs::queries
