// Ed25519 (RFC 8032) over OpenSSL: a key that signs and a key that only verifies. Both are read once and then used from
// any thread. Throws std::runtime_error where OpenSSL fails, std::invalid_argument for what is no key.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace buildplan {

class VerifyingKey {
public:
    // From its 32 bytes.
    explicit VerifyingKey(std::string_view bytes);

    [[nodiscard]] std::string const& bytes() const noexcept { return bytes_; }
    [[nodiscard]] bool verify(std::string_view message, std::string_view signature) const;

private:
    std::string bytes_;
    std::shared_ptr<evp_pkey_st> key_;
};

class SigningKey {
public:
    static SigningKey generate();
    // From the 32 bytes of the private key (RFC 8032 section 5.1.5 calls them the seed).
    explicit SigningKey(std::string_view seed);

    [[nodiscard]] std::string seed() const;
    [[nodiscard]] VerifyingKey verifying_key() const;
    // 64 bytes.
    [[nodiscard]] std::string sign(std::string_view message) const;

private:
    std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace buildplan
