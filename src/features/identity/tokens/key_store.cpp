#include "features/identity/tokens/key_store.hpp"

#include "core/sealed.hpp"
#include "features/identity/tokens/queries.gen.hpp"

namespace buildplan::identity {
namespace {

namespace queries = tokens::queries;

constexpr std::string_view work = "signing_keys";

KeySet to_set(std::vector<queries::LoadKeys::Row> rows, std::string_view sealing_key) {
    std::vector<KnownKey> keys;
    for (auto& row : rows) {
        std::optional<SigningKey> signing;
        if (auto const seed = open_sealed(sealing_key, row.sealed_private_key, row.kid)) signing.emplace(*seed);
        keys.push_back({.kid = std::move(row.kid),
                        .verifying = VerifyingKey(row.public_key),
                        .signing = std::move(signing),
                        .created_at = row.created_at,
                        .active_from = row.active_from,
                        .retired_at = row.retired_at,
                        .expires_at = row.expires_at});
    }
    return KeySet(std::move(keys));
}

}  // namespace

KeyStore::KeyStore(postgres::SystemPool& system, std::string_view secret, Times times)
    : system_(system), sealing_key_(hkdf_sha256(secret, "", "buildplan signing keys 1")), times_(times) {}

task<KeySet> KeyStore::read() {
    queries::LoadKeys const query;
    auto rows = co_await system_.all(work, query);
    co_return to_set(std::move(rows), sealing_key_);
}

task<KeySet> KeyStore::read_in(postgres::SystemTx& tx) {
    queries::LoadKeys const query;
    auto rows = co_await tx.all(query);
    co_return to_set(std::move(rows), sealing_key_);
}

task<KeySet> KeyStore::load() {
    auto set = co_await read();
    if (set.signer(now())) co_return set;
    auto tx = system_.begin(work);
    queries::LockKeys const lock;
    co_await tx.one(lock);
    set = co_await read_in(tx);
    if (!set.signer(now())) {
        // Somebody else's clock may be behind; a key that is a minute old signs for them, too.
        co_await add(tx, now() - std::chrono::minutes{1});
        set = co_await read_in(tx);
    }
    co_await tx.commit();
    co_return set;
}

task<std::string> KeyStore::add(postgres::SystemTx& tx, Timestamp active_from) {
    auto const key = SigningKey::generate();
    auto const verifying = key.verifying_key();
    auto kid = kid_of(verifying);
    auto const sealed = seal(sealing_key_, key.seed(), kid);
    queries::AddKey const query{
        .kid = kid, .public_key = verifying.bytes(), .sealed_private_key = sealed, .active_from = active_from};
    co_await tx.run(query);
    co_return kid;
}

task<std::string> KeyStore::replace(postgres::SystemTx& tx, Timestamp active_from) {
    auto kid = co_await add(tx, active_from);
    queries::RetireOtherKeys const query{
        .retired_at = active_from, .expires_at = active_from + times_.farewell, .kid = kid};
    co_await tx.run(query);
    co_return kid;
}

task<std::string> KeyStore::rotate(bool at_once) {
    auto tx = system_.begin(work);
    queries::LockKeys const lock;
    co_await tx.one(lock);
    auto kid = co_await replace(tx, at_once ? now() : now() + times_.notice);
    co_await tx.commit();
    co_return kid;
}

task<bool> KeyStore::rotate_when_older(std::chrono::milliseconds age) {
    auto tx = system_.begin(work);
    queries::LockKeys const lock;
    co_await tx.one(lock);
    auto const set = co_await read_in(tx);
    auto const time = now();
    bool due = false;
    for (auto const& key : set.keys()) {
        if (!key.signing) continue;
        if (key.created_at + age > time) co_return false;
        due = true;
    }
    if (!due) co_return false;  // the first one is made by whoever signs first
    co_await replace(tx, time + times_.notice);
    co_await tx.commit();
    co_return true;
}

task<std::uint64_t> KeyStore::sweep() {
    queries::SweepKeys const query;
    co_return co_await system_.run(work, query);
}

}  // namespace buildplan::identity
