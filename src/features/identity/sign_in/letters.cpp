#include "features/identity/sign_in/letters.hpp"

#include "core/crypto.hpp"
#include "core/json/json.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "features/identity/sign_in/queries.gen.hpp"

namespace buildplan::identity {
namespace {

namespace queries = sign_in::queries;

struct Contents {
    UserId user_id;
    std::string to;
    std::string name;
    std::optional<std::string> token;
    std::optional<Timestamp> expires_at;
};
BOOST_DESCRIBE_STRUCT(Contents, (), (user_id, to, name, token, expires_at))

// What all letters have in common.
struct Envelope {
    std::string to;
    std::optional<std::string> token;
};
BOOST_DESCRIBE_STRUCT(Envelope, (), (to, token))
constexpr auto json_rules(Envelope const*) { return json::fields(json::field("to")).ignore_unknown(); }

std::string text_of(Contents const& contents) {
    std::string text;
    json::append(text, contents);
    return text;
}

}  // namespace

std::string_view purpose_of(Letter letter) noexcept {
    return letter == Letter::verify_email ? "verify_email" : "reset_password";
}

std::string hash_of_mailed(std::string_view token) { return sha256(token); }

task<> write_letter(postgres::SystemTx& tx, Letter letter, UserId to, std::string email, std::string name) {
    auto const token = base64url(random_bytes(32));
    auto const hash = hash_of_mailed(token);
    auto const ends = now() + (letter == Letter::verify_email ? verify_email_lasts : reset_password_lasts);
    auto const topic = "mail." + std::string(purpose_of(letter));
    auto const payload =
        text_of({.user_id = to, .to = std::move(email), .name = std::move(name), .token = token, .expires_at = ends});
    queries::CreateUserToken const create{
        .user_id = to, .purpose = purpose_of(letter), .token_hash = hash, .expires_at = ends};
    queries::Tell const tell{
        .organization_id = OrganizationId{to.value}, .topic = topic, .payload = postgres::JsonView{payload}};
    co_await tx.pipeline(create, tell);
}

task<> write_news(postgres::SystemTx& tx, std::string_view topic, UserId to, std::string email, std::string name) {
    auto const payload =
        text_of({.user_id = to, .to = std::move(email), .name = std::move(name), .token = {}, .expires_at = {}});
    queries::Tell const tell{
        .organization_id = OrganizationId{to.value}, .topic = topic, .payload = postgres::JsonView{payload}};
    co_await tx.run(tell);
}

task<std::vector<WaitingLetter>> take_letters(postgres::SystemPool& system) {
    queries::TakeLetters const take;
    auto rows = co_await system.all("take_letters", take);
    std::vector<WaitingLetter> letters;
    letters.reserve(rows.size());
    for (auto& row : rows) {
        auto envelope = json::decode<Envelope>(row.payload.text);
        letters.push_back({std::move(row.topic), std::move(envelope.to), std::move(envelope.token).value_or("")});
    }
    co_return letters;
}

}  // namespace buildplan::identity
