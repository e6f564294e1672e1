#include "core/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>

namespace buildplan {
namespace {

// Fetching an algorithm costs more than hashing a short text with it, so it is fetched once.
EVP_MD const* sha256_algorithm() {
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (!algorithm) throw std::runtime_error("OpenSSL has no SHA-256");
    return algorithm;
}

unsigned char const* data(std::string_view text) { return reinterpret_cast<unsigned char const*>(text.data()); }

}  // namespace

std::string sha256(std::string_view bytes) {
    std::string out(32, '\0');
    if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr,
                   sha256_algorithm(), nullptr) != 1) {
        throw std::runtime_error("SHA-256 failed");
    }
    return out;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
    std::string out(32, '\0');
    unsigned length = 0;
    if (!HMAC(sha256_algorithm(), key.data(), static_cast<int>(key.size()), data(bytes), bytes.size(),
              reinterpret_cast<unsigned char*>(out.data()), &length)) {
        throw std::runtime_error("HMAC-SHA-256 failed");
    }
    return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace buildplan
