#include "local/postgres_configuration.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <set>

#include "local/socket_folder.hpp"

namespace buildplan::local {
namespace {

constexpr std::array application_roles{owner_role, app_role, system_role};

struct Setting {
    char const* name;
    char const* value;
};

constexpr Setting built_in[] = {
    {"cluster_name", "buildplan"},
    {"unix_socket_permissions", "0700"},
    {"max_connections", "100"},
    {"shared_buffers", "128MB"},
    {"dynamic_shared_memory_type", "posix"},
    {"max_wal_size", "1GB"},
    {"min_wal_size", "80MB"},
    {"checkpoint_timeout", "15min"},
    {"wal_level", "replica"},
    {"wal_compression", "on"},
    // Short statements of many tenants: compiling them, or spreading one over several cores, costs more than it gives.
    {"jit", "off"},
    {"max_parallel_workers_per_gather", "0"},
    {"random_page_cost", "1.1"},
    {"effective_cache_size", "1GB"},
    {"idle_in_transaction_session_timeout", "60s"},
    // A client that vanished in the middle of a statement.
    {"client_connection_check_interval", "10s"},
    {"log_line_prefix", "%m [%p] %q%u@%d "},
    {"log_checkpoints", "off"},
    {"log_lock_waits", "on"},
    // A statement may carry a tenant's data: only its error is logged, not its parameters.
    {"log_parameter_max_length_on_error", "0"},
    {"datestyle", "iso"},
    {"timezone", "UTC"},
    {"log_timezone", "UTC"},
    {"lc_messages", "C.UTF-8"},
    {"default_text_search_config", "pg_catalog.english"},
};

// synchronous_commit stays on, so that an answered write also survives `kill -9` of the server.
constexpr Setting not_durable[] = {
    {"fsync", "off"}, {"full_page_writes", "off"}, {"shared_buffers", "48MB"}, {"max_wal_size", "512MB"}};

std::string in_quotes(std::string_view text, char quote) {
    std::string out(1, quote);
    for (char const c : text) {
        if (c == quote || (c == '\\' && quote == '\'')) out += c;
        out += c;
    }
    return out += quote;
}

}  // namespace

std::string postgresql_conf(PostgresOptions const& options) {
    std::map<std::string, std::string> settings;
    for (auto const& [name, value] : built_in) settings[name] = value;
    if (!options.durable)
        for (auto const& [name, value] : not_durable) settings[name] = value;
    for (auto const& [name, value] : options.settings) settings[name] = value;
    settings["unix_socket_directories"] = seen_from(options.data, options.sockets).native();
    settings["listen_addresses"] = options.tcp_port ? "127.0.0.1" : "";
    settings["port"] = std::to_string(options.tcp_port.value_or(5432));
    std::string text =
        "# Written anew at each start. What you want otherwise goes into custom.conf, beside this file.\n";
    for (auto const& [name, value] : settings) text += fmt::format("{} = {}\n", name, in_quotes(value, '\''));
    return text + "include_if_exists 'custom.conf'\n";
}

std::string pg_hba_conf(PostgresOptions const& options) {
    std::string text = "# Written anew at each start.\n";
    text += options.trust ? "local all all trust\n" : "local all all peer map=buildplan\n";
    if (options.tcp_port) text += "host all all 127.0.0.1/32 scram-sha-256\n";
    return text;
}

std::string pg_ident_conf(PostgresOptions const& options) {
    std::string text = "# Written anew at each start: which operating-system users may be which roles.\n";
    for (auto const& user : std::set{user_name(::geteuid()), options.user.name}) {
        text += fmt::format("buildplan {} {}\n", in_quotes(user, '"'), superuser_role);
        for (auto const role : application_roles) text += fmt::format("buildplan {} {}\n", in_quotes(user, '"'), role);
    }
    return text;
}

std::string first_statements(PostgresOptions const& options) {
    std::string text;
    for (auto const role : application_roles) {
        text += fmt::format("CREATE ROLE {} LOGIN", role);
        if (!options.password.empty()) text += fmt::format(" PASSWORD {}", in_quotes(options.password, '\''));
        text += ";\n";
    }
    text += fmt::format("CREATE DATABASE {} OWNER {};\n", database_name, owner_role);
    return text;
}

}  // namespace buildplan::local
