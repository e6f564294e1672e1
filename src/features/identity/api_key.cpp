#include "features/identity/api_key.hpp"

#include <algorithm>
#include <array>
#include <boost/crc.hpp>

#include "core/crypto.hpp"
#include "core/random.hpp"

namespace buildplan::identity {
namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view service_prefix = "bp_svc_";
constexpr std::string_view personal_prefix = "bp_pat_";
constexpr std::size_t prefix_size = service_prefix.size();
constexpr std::size_t random_size = 32;
constexpr std::size_t checksum_size = 6;  // 62^6 is more than 2^32
constexpr std::size_t key_size = prefix_size + random_size + 1 + checksum_size;

// Of the kind and the random part, so that one kind cannot be made into another.
std::array<char, checksum_size> checksum(std::string_view text) noexcept {
    boost::crc_32_type crc;
    crc.process_bytes(text.data(), text.size());
    std::uint32_t value = crc.checksum();
    std::array<char, checksum_size> digits{};
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
        *digit = alphabet[value % alphabet.size()];
        value /= static_cast<std::uint32_t>(alphabet.size());
    }
    return digits;
}

// Bytes above the largest multiple of 62 are drawn again, so that every character is as likely as the others.
char random_character() {
    constexpr std::uint8_t limit = 256 / alphabet.size() * alphabet.size();
    for (;;) {
        std::uint8_t byte = 0;
        fill_random({&byte, 1});
        if (byte < limit) return alphabet[byte % alphabet.size()];
    }
}

}  // namespace

std::string make_key(KeyKind kind) {
    std::string key{kind == KeyKind::service ? service_prefix : personal_prefix};
    while (key.size() < prefix_size + random_size) key += random_character();
    auto const sum = checksum(key);
    key += '_';
    key.append(sum.data(), sum.size());
    return key;
}

std::optional<KeyKind> kind_of_key(std::string_view text) noexcept {
    if (text.size() != key_size || text[prefix_size + random_size] != '_') return std::nullopt;
    bool const service = text.starts_with(service_prefix);
    if (!service && !text.starts_with(personal_prefix)) return std::nullopt;
    auto const random = text.substr(prefix_size, random_size);
    if (random.find_first_not_of(alphabet) != std::string_view::npos) return std::nullopt;
    auto const sum = checksum(text.substr(0, prefix_size + random_size));
    if (!std::ranges::equal(sum, text.substr(key_size - checksum_size))) return std::nullopt;
    return service ? KeyKind::service : KeyKind::personal;
}

std::string hash_of_key(std::string_view key) { return sha256(key); }

std::string_view prefix_of_key(std::string_view key) noexcept { return key.substr(0, prefix_size + 4); }

}  // namespace buildplan::identity
