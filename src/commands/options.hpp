// From settings to the options of each floor. Throws OperatorError for a value that only the floor can judge.
#pragma once

#include "core/settings.hpp"
#include "features/identity/tokens/tokens.hpp"
#include "net/server.hpp"
#include "postgres/options.hpp"
#include "queue/fair/workers.hpp"
#include "redis/options.hpp"

namespace buildplan::commands {

net::ServerSettings server_settings(Settings const& settings);
postgres::Options postgres_options(Settings const& settings, std::string const& url);
// `name`: "cache" or "queue".
redis::Options redis_options(Settings const& settings, std::string const& url, std::string name);
queue::fair::WorkersOptions workers_options(Settings const& settings);
identity::Tokens::Options token_options(Settings const& settings);

}  // namespace buildplan::commands
