#include "core/ed25519.hpp"

#include <openssl/evp.h>

#include <stdexcept>

#include "core/random.hpp"

namespace buildplan {
namespace {

constexpr std::size_t key_size = 32, signature_size = 64;

unsigned char const* data(std::string_view text) { return reinterpret_cast<unsigned char const*>(text.data()); }
unsigned char* data(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

using Context = std::unique_ptr<EVP_MD_CTX, decltype([](EVP_MD_CTX* context) { EVP_MD_CTX_free(context); })>;

Context make_context() {
    Context context(EVP_MD_CTX_new());
    if (!context) throw std::bad_alloc();
    return context;
}

std::shared_ptr<EVP_PKEY> held(EVP_PKEY* key) {
    if (!key) throw std::invalid_argument("This is no Ed25519 key.");
    return {key, EVP_PKEY_free};
}

void require_key_size(std::string_view bytes) {
    if (bytes.size() != key_size) throw std::invalid_argument("An Ed25519 key has 32 bytes.");
}

std::string raw(EVP_PKEY const* key, int (*get)(EVP_PKEY const*, unsigned char*, std::size_t*)) {
    std::string bytes(key_size, '\0');
    std::size_t size = bytes.size();
    if (get(key, data(bytes), &size) != 1 || size != key_size) throw std::runtime_error("OpenSSL gives no Ed25519 key");
    return bytes;
}

}  // namespace

VerifyingKey::VerifyingKey(std::string_view bytes) : bytes_(bytes) {
    require_key_size(bytes_);
    key_ = held(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, data(std::string_view{bytes_}), key_size));
}

bool VerifyingKey::verify(std::string_view message, std::string_view signature) const {
    if (signature.size() != signature_size) return false;
    auto const context = make_context();
    if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1)
        throw std::runtime_error("OpenSSL cannot verify with Ed25519");
    return EVP_DigestVerify(context.get(), data(signature), signature.size(), data(message), message.size()) == 1;
}

SigningKey SigningKey::generate() { return SigningKey(random_bytes(key_size)); }

SigningKey::SigningKey(std::string_view seed) {
    require_key_size(seed);
    key_ = held(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, data(seed), key_size));
}

std::string SigningKey::seed() const { return raw(key_.get(), EVP_PKEY_get_raw_private_key); }

VerifyingKey SigningKey::verifying_key() const { return VerifyingKey(raw(key_.get(), EVP_PKEY_get_raw_public_key)); }

std::string SigningKey::sign(std::string_view message) const {
    auto const context = make_context();
    std::string signature(signature_size, '\0');
    std::size_t size = signature.size();
    if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), data(signature), &size, data(message), message.size()) != 1 ||
        size != signature_size) {
        throw std::runtime_error("OpenSSL cannot sign with Ed25519");
    }
    return signature;
}

}  // namespace buildplan
