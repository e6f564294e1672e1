#include "features/identity/passwords/hash.hpp"

#include <sodium.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "core/problem.hpp"

namespace buildplan::identity {
namespace {

constexpr unsigned long long passes = 2;
constexpr std::size_t memory = std::size_t{19} * 1024 * 1024;

void start_sodium() {
    static bool const ready = sodium_init() >= 0;
    if (!ready) throw std::runtime_error("libsodium does not start");
}

[[noreturn]] void throw_no_memory() { throw problems::unavailable("Too much is going on; try again shortly."); }

}  // namespace

std::string hash_password(std::string_view password) {
    start_sodium();
    std::array<char, crypto_pwhash_STRBYTES> text{};
    if (crypto_pwhash_str_alg(text.data(), password.data(), password.size(), passes, memory,
                              crypto_pwhash_ALG_ARGON2ID13) != 0) {
        throw_no_memory();
    }
    return text.data();
}

bool password_fits(std::string const& hash, std::string_view password) {
    start_sodium();
    if (hash.size() >= crypto_pwhash_STRBYTES) return false;
    errno = 0;
    if (crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0) return true;
    if (errno == ENOMEM) throw_no_memory();
    return false;
}

bool is_outdated(std::string const& hash) {
    start_sodium();
    return crypto_pwhash_str_needs_rehash(hash.c_str(), passes, memory) != 0;
}

// Of 32 random bytes that were thrown away. A test makes sure that it has today's parameters.
std::string const& nobodys_hash() {
    static std::string const hash =
        "$argon2id$v=19$m=19456,t=2,p=1$meXF3s1F868BJufFGbZEnw$GWMtCo8estzsv7aB5Jj9ZSxG4lkDm8UqXmnQaxKLOXU";
    return hash;
}

}  // namespace buildplan::identity
