// The texts of postgresql.conf, pg_hba.conf and pg_ident.conf, and the statements that a new server begins with.
#pragma once

#include <string>

#include "local/postgres.hpp"

namespace buildplan::local {

std::string postgresql_conf(PostgresOptions const& options);
std::string pg_hba_conf(PostgresOptions const& options);
std::string pg_ident_conf(PostgresOptions const& options);
// One statement a line, as `postgres --single` reads them.
std::string first_statements(PostgresOptions const& options);

}  // namespace buildplan::local
