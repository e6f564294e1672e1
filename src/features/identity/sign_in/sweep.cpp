#include "features/identity/sign_in/sweep.hpp"

#include "features/identity/sign_in/queries.gen.hpp"

namespace buildplan::identity {

task<std::uint64_t> sweep_sign_ins(postgres::SystemPool& system) {
    constexpr std::string_view work = "sweep_sign_ins";
    sign_in::queries::SweepSessions const sessions;
    auto const ended = co_await system.run(work, sessions, postgres::Lane::heavy);
    sign_in::queries::SweepUserTokens const tokens;
    auto const spent = co_await system.run(work, tokens, postgres::Lane::heavy);
    co_return ended + spent;
}

}  // namespace buildplan::identity
