#include "features/identity/tokens/routes.hpp"

#include "api/call.hpp"
#include "api/declarations.hpp"
#include "api/response.hpp"
#include "features/identity/tokens/tokens.hpp"

namespace buildplan::identity {
namespace {

task<api::Response> get_jwks(api::Shard& shard, api::Call const&) {
    api::Response response(200, "application/jwk-set+json", co_await shard.tokens->jwks());
    // Half of the notice that a new key is given before it signs.
    response.header("Cache-Control", "public, max-age=300");
    co_return response;
}

constexpr api::Route table[] = {
    {"GET", "/.well-known/jwks.json", api::open, api::handle<get_jwks>, "The keys that verify access tokens",
     api::tag("Tokens", "How others can see that a token is ours."),
     api::describe("A JWK Set (RFC 7517) of Ed25519 keys (RFC 8037). Access tokens are JWTs of the type `at+jwt` (RFC "
                   "9068) that name their key by `kid`; a new key is shown here before it signs."),
     api::returns_as("application/jwk-set+json")},
};

}  // namespace

std::span<api::Route const> token_routes() noexcept { return table; }

}  // namespace buildplan::identity
