// What a query is. `script/gen` writes one struct per statement of a queries.sql: its members are the parameters, `Row`
// is what comes back, and the SQL was prepared against the real schema when it was generated. Nobody writes these by
// hand, and nothing below this floor's transactions takes SQL in any other form.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "postgres/value.hpp"

namespace buildplan::postgres {

// `name` and `sql` are literals: a NUL follows the last character, so data() is a C string. `name` is unique in the
// program ("organizations.list_workspaces") and shorter than 64 bytes: it names the prepared statement too.
struct Statement {
    std::string_view name;
    std::string_view sql;
    std::span<std::uint32_t const> parameter_types;  // OIDs, one per parameter; see value.hpp
};

enum class Cardinality : std::uint8_t {
    run,   // no rows; `Row` is void
    one,   // at most one row: an optional
    many,  // any number of rows: a vector
};

// Parameters are held by value, text as string_view: what they look at must live until the awaited call is over.
template <class Q>
concept Query = requires(Q const& query, Parameters& parameters) {
    { Q::statement } -> std::convertible_to<Statement const&>;
    { Q::cardinality } -> std::convertible_to<Cardinality>;
    { query.bind(parameters) } -> std::same_as<void>;
    typename Q::Row;
};

// A query with an answer: `:one` and `:many`.
template <class Q>
concept RowQuery = Query<Q> && !std::is_void_v<typename Q::Row> && requires(RowView row) {
    { Q::read(row) } -> std::same_as<typename Q::Row>;
};

template <class Q>
concept RunQuery = Query<Q> && std::is_void_v<typename Q::Row>;

// Written for buildplan_system: it works across tenants.
template <class Q>
concept SystemQuery = Query<Q> && requires { requires Q::across_tenants; };

template <class Q>
concept OneQuery = RowQuery<Q> && Q::cardinality == Cardinality::one;

template <class Q>
concept ManyQuery = RowQuery<Q> && Q::cardinality == Cardinality::many;

}  // namespace buildplan::postgres
