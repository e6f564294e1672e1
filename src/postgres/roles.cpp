#include "postgres/roles.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "core/operator_error.hpp"
#include "fmt/core.h"
#include "postgres/session.hpp"

namespace buildplan::postgres {
namespace {

struct Setting {
    std::string_view name;
    std::string_view value;
};

struct Role {
    std::string_view name;
    std::optional<std::string> RolePasswords::* password;
    std::array<Setting, 8> settings;
};

// Temporary tables come last on the path, so that none can stand in front of a table.
constexpr Setting path{"search_path", "public, pg_temp"};
// Compiling a short statement costs more than running it.
constexpr Setting no_jit{"jit", "off"};
constexpr Setting utc{"TimeZone", "UTC"};
// A prepared statement would else be planned for the tenant who came first, and that plan would stay (see
// docs/decisions/0005).
constexpr Setting generic_plans{"plan_cache_mode", "force_generic_plan"};

constexpr Role roles[] = {
    {"buildplan_owner", &RolePasswords::owner, {{path, no_jit, utc, {"lock_timeout", "10s"}}}},
    {"buildplan_app",
     &RolePasswords::app,
     {{path,
       no_jit,
       utc,
       generic_plans,
       {"statement_timeout", "15s"},
       {"lock_timeout", "3s"},
       {"idle_in_transaction_session_timeout", "15s"}}}},
    {"buildplan_system",
     &RolePasswords::system,
     {{path,
       no_jit,
       utc,
       generic_plans,
       {"statement_timeout", "60s"},
       {"lock_timeout", "5s"},
       {"idle_in_transaction_session_timeout", "60s"}}}},
};

void ensure_role(Session& session, Role const& role) {
    std::string const name(role.name);
    auto const found = session.query(
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR NOT rolcanlogin "
        "FROM pg_roles WHERE rolname = $1",
        {name});
    if (found.empty()) {
        session.execute("CREATE ROLE " + name + " LOGIN");
    } else if (found[0][0] == "t") {
        session.execute("ALTER ROLE " + name + " LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION");
    }
}

void ensure_settings(Session& session, Role const& role) {
    std::string const name(role.name);
    std::vector<std::string> present;
    for (auto const& row : session.query("SELECT unnest(rolconfig) FROM pg_roles WHERE rolname = $1", {name})) {
        present.push_back(row[0].value_or(""));
    }
    for (auto const& setting : role.settings) {
        if (setting.name.empty() ||
            std::ranges::find(present, fmt::format("{}={}", setting.name, setting.value)) != present.end()) {
            continue;
        }
        // The path is a list of names, everything else one value.
        auto const value =
            setting.name == path.name ? std::string(setting.value) : session.quoted_literal(setting.value);
        session.execute(fmt::format("ALTER ROLE {} SET {} = {}", name, setting.name, value));
    }
}

void ensure_password(Session& session, Role const& role, RolePasswords const& passwords) {
    if (auto const& password = passwords.*role.password) {
        session.execute(session.password_statement(role.name, *password));
    }
}

void ensure_database(Session& session) {
    auto const done = session.value(
        "SELECT has_database_privilege('buildplan_app', d.oid, 'CONNECT') "
        "   AND has_database_privilege('buildplan_system', d.oid, 'CONNECT') "
        "   AND has_schema_privilege('buildplan_owner', 'public', 'CREATE') "
        "   AND NOT has_schema_privilege('buildplan_app', 'public', 'CREATE') "
        "   AND NOT has_database_privilege('buildplan_app', d.oid, 'TEMPORARY') "
        "FROM pg_database d WHERE datname = current_database()");
    if (done == "t") return;
    auto const database = session.quoted_identifier(session.value("SELECT current_database()").value_or(""));
    session.execute(
        fmt::format("REVOKE ALL ON DATABASE {0} FROM PUBLIC;"
                    "REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
                    "GRANT CONNECT ON DATABASE {0} TO buildplan_owner, buildplan_app, buildplan_system;"
                    "GRANT USAGE ON SCHEMA public TO buildplan_app, buildplan_system;"
                    "GRANT USAGE, CREATE ON SCHEMA public TO buildplan_owner",
                    database));
}

}  // namespace

void bootstrap_roles(std::string const& admin_url, RolePasswords const& passwords) {
    Session session(admin_url);
    try {
        for (auto const& role : roles) {
            ensure_role(session, role);
            ensure_settings(session, role);
            ensure_password(session, role, passwords);
        }
        ensure_database(session);
    } catch (ServerError const& error) {
        throw OperatorError(fmt::format("The roles of BuildPlan could not be made ({})", error.describe()),
                            "use the URL of a superuser, or of a role with CREATEROLE that owns the database");
    }
}

}  // namespace buildplan::postgres
