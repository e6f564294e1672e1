#include "gen/generate.hpp"

#include "gen/emit.hpp"
#include "gen/source.hpp"
#include "postgres/describe.hpp"

namespace buildplan::gen {
namespace {

// A policy reads the setting even when a statement is only planned.
constexpr auto some_tenant = "SET app.current_organization_id = '00000000-0000-0000-0000-000000000000'";

// The byte where the server's `position`, which counts characters from 1, points.
std::size_t byte_at(std::string_view text, std::size_t position) {
    std::size_t character = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80 && ++character == position) return i;
    }
    return 0;
}

postgres::Described described(Query const& query, Database& database) {
    try {
        return postgres::describe(query.system ? database.system : database.app, query.sql);
    } catch (postgres::ServerError const& error) {
        auto const line = error.position == 0 ? query.line : query.lines[byte_at(query.sql, error.position)];
        throw SourceError(line, query.name + ": " + error.describe());
    }
}

}  // namespace

Database::Database(std::string const& app_url, std::string const& system_url) : app(app_url), system(system_url) {
    app.execute(some_tenant);
}

std::string make_header(std::string_view folder, std::string_view sql, Database& database) {
    auto const source = parse(sql);
    std::vector<postgres::Described> answers;
    answers.reserve(source.queries.size());
    for (auto const& query : source.queries) answers.push_back(described(query, database));
    return emit(folder, source, answers);
}

}  // namespace buildplan::gen
