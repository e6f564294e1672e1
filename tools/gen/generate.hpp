// The whole way of one queries.sql: read it, ask a migrated database about each statement, write the header's text.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "postgres/session.hpp"

namespace buildplan::gen {

// A database with the newest schema, seen by the two roles that queries run as.
class Database {
public:
    Database(std::string const& app_url, std::string const& system_url);

    postgres::Session app;
    postgres::Session system;
};

// The header for `sql`, which lies in `folder` below src/. Throws SourceError, also for what PostgreSQL refuses.
std::string make_header(std::string_view folder, std::string_view sql, Database& database);

}  // namespace buildplan::gen
