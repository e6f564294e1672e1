#include "core/sealed.hpp"

#include <openssl/evp.h>

#include <limits>
#include <memory>
#include <stdexcept>

#include "core/crypto.hpp"
#include "core/random.hpp"

namespace buildplan {
namespace {

constexpr std::size_t hash_size = 32, key_size = 32, nonce_size = 12, tag_size = 16;

unsigned char const* data(std::string_view text) { return reinterpret_cast<unsigned char const*>(text.data()); }
unsigned char* data(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

int length(std::string_view text) {
    if (text.size() > std::numeric_limits<int>::max()) throw std::invalid_argument("This is too long to be sealed.");
    return static_cast<int>(text.size());
}

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype([](EVP_CIPHER_CTX* context) { EVP_CIPHER_CTX_free(context); })>;

Cipher make_cipher(std::string_view key) {
    if (key.size() != key_size) throw std::invalid_argument("A key of AES-256 has 32 bytes.");
    Cipher cipher(EVP_CIPHER_CTX_new());
    if (!cipher) throw std::bad_alloc();
    return cipher;
}

void require(int result) {
    if (result != 1) throw std::runtime_error("AES-256-GCM failed");
}

}  // namespace

std::string hkdf_sha256(std::string_view secret, std::string_view salt, std::string_view info, std::size_t size) {
    if (size > 255 * hash_size) throw std::invalid_argument("HKDF does not give so many bytes.");
    auto const extracted = hmac_sha256(salt.empty() ? std::string(hash_size, '\0') : std::string(salt), secret);
    std::string out, block;
    for (char count = 1; out.size() < size; ++count) {
        block += info;
        block += count;
        block = hmac_sha256(extracted, block);
        out += block;
    }
    out.resize(size);
    return out;
}

std::string seal(std::string_view key, std::string_view plain, std::string_view bound_to) {
    auto const cipher = make_cipher(key);
    auto sealed = random_bytes(nonce_size);
    sealed.resize(nonce_size + plain.size() + tag_size);
    int size = 0;
    require(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, data(key), data(sealed)));
    require(EVP_EncryptUpdate(cipher.get(), nullptr, &size, data(bound_to), length(bound_to)));
    require(EVP_EncryptUpdate(cipher.get(), data(sealed) + nonce_size, &size, data(plain), length(plain)));
    require(EVP_EncryptFinal_ex(cipher.get(), data(sealed) + nonce_size + size, &size));
    require(
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag_size, data(sealed) + nonce_size + plain.size()));
    return sealed;
}

std::optional<std::string> open_sealed(std::string_view key, std::string_view sealed, std::string_view bound_to) {
    auto const cipher = make_cipher(key);
    if (sealed.size() < nonce_size + tag_size) return std::nullopt;
    auto const text = sealed.substr(nonce_size, sealed.size() - nonce_size - tag_size);
    std::string tag(sealed.substr(sealed.size() - tag_size));
    std::string plain(text.size(), '\0');
    int size = 0;
    require(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, data(key), data(sealed)));
    require(EVP_DecryptUpdate(cipher.get(), nullptr, &size, data(bound_to), length(bound_to)));
    require(EVP_DecryptUpdate(cipher.get(), data(plain), &size, data(text), length(text)));
    require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()));
    if (EVP_DecryptFinal_ex(cipher.get(), data(plain) + size, &size) != 1) return std::nullopt;
    return plain;
}

}  // namespace buildplan
