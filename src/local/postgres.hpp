// Postgres: a private PostgreSQL 15 on a data folder of its own.
//
// Who may connect. The sockets lie in a folder of mode 0700 that belongs to the server's user, so only that user and
// root get there at all. Behind that, `peer` authentication: the kernel says who connects, and only we and the server's
// user may be the roles below (pg_ident map). That works alike for a root `up` with a server that runs as `postgres`
// and for a plain user who is both, and leaves no password on disk that could leak. With `tcp_port` it listens on
// 127.0.0.1 besides; any local user reaches that, so there it is scram-sha-256 with `password`.
//
// The server enters its data folder through a descriptor (-D /proc/self/fd/3): a folder below one that its user may not
// enter, like /root, works all the same.
//
// The folder is made under a temporary name and then renamed, so a killed initdb leaves nothing that looks finished.
// postgresql.conf, pg_hba.conf and pg_ident.conf are written anew at each start; what an operator wants otherwise goes
// into custom.conf beside them.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "local/programs.hpp"
#include "local/server.hpp"
#include "local/server_user.hpp"

namespace buildplan::local {

inline constexpr std::string_view database_name = "buildplan";
inline constexpr std::string_view superuser_role = "postgres";
inline constexpr std::string_view owner_role = "buildplan_owner";    // owns the schema: migrations
inline constexpr std::string_view app_role = "buildplan_app";        // owns nothing, is held by row-level security
inline constexpr std::string_view system_role = "buildplan_system";  // named work across tenants

struct PostgresOptions {
    std::filesystem::path data;
    std::filesystem::path sockets;                             // exists, 0700, belongs to `user`
    std::filesystem::path log;                                 // its folder exists
    std::filesystem::path programs;                            // "" finds them
    std::string search_path = std::string(usual_search_path);  // the caller's $PATH
    ServerUser user = server_user();
    std::optional<std::uint16_t> tcp_port;
    std::string password;  // of the three roles, kept from initialise() on; over TCP only
    bool durable = true;   // off: survives its own death, not the machine's. For tests and generators
    bool trust = false;    // anyone who reaches the socket may be any role. For tests, which make roles of their own
    std::map<std::string, std::string> settings;                         // above those that are built in
    std::chrono::milliseconds start_timeout = std::chrono::minutes{10};  // recovery after a crash may take long
};

class Postgres final : public Server {
public:
    explicit Postgres(PostgresOptions options);
    ~Postgres() override;

    // Makes the data folder with the three roles and the database, unless it is there. start() does so too.
    void initialise();
    void start(std::stop_token cancel = {}) override;
    void stop() override;  // lets statements end with an error, writes everything out

    [[nodiscard]] PostgresOptions const& options() const noexcept { return options_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return options_.tcp_port.value_or(5432); }
    // For libpq. Over the socket, and over TCP (with the password).
    [[nodiscard]] std::string url(std::string_view role, std::string_view database = database_name) const;
    [[nodiscard]] std::string tcp_url(std::string_view role, std::string_view database = database_name) const;

private:
    void clear_leftovers();
    void check_folder() const;
    void make_roles(std::filesystem::path const& folder);
    void write_configuration() const;
    [[nodiscard]] bool is_ready() const;
    [[nodiscard]] ChildOptions program(std::string_view name) const;

    PostgresOptions options_;
    std::filesystem::path programs_;
};

}  // namespace buildplan::local
