#include "redis/script.hpp"

#include <openssl/evp.h>

#include <stdexcept>

#include "core/text.hpp"

namespace buildplan::redis {
namespace {

// How Redis names a script; nothing rests on it being hard to forge.
std::string sha1_hex(std::string_view bytes) {
    std::string digest(20, '\0');
    if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha1(),
                   nullptr) != 1) {
        throw std::runtime_error("SHA-1 failed");
    }
    return to_hex(digest);
}

// Most scripts get about as many bytes of arguments as of keys.
template <class Keys>
std::size_t room_for(Keys const& keys) {
    std::size_t size = 64;
    for (auto const& key : keys) size += 2 * (key.size() + 8);
    return size;
}

template <class Keys>
Command& with_keys(Command& made, Keys const& keys) {
    return made.arg(keys.size()).args(keys);
}

}  // namespace

Script::Script(std::string source) : source_(std::move(source)), sha1_(sha1_hex(source_)) {}

Command Script::call(std::span<std::string_view const> keys) const {
    Command made(*this);
    made.body_.reserve(room_for(keys));
    made.key_argument_ = keys.empty() ? 0 : 2;
    return std::move(with_keys(made, keys));
}

Command Script::call(std::span<std::string const> keys) const {
    Command made(*this);
    made.body_.reserve(room_for(keys));
    made.key_argument_ = keys.empty() ? 0 : 2;
    return std::move(with_keys(made, keys));
}

}  // namespace buildplan::redis
