#include "api/cursor.hpp"

#include <cstring>
#include <stdexcept>

#include "core/crypto.hpp"
#include "core/text.hpp"

namespace buildplan::api {
namespace {

constexpr std::size_t mac_size = 16;
constexpr std::size_t max_text = 1'000;

void append_number(std::string& out, std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) out += static_cast<char>(value >> (8 * i));
}

std::uint64_t read_number(std::string_view bytes) noexcept {
    std::uint64_t value = 0;
    for (char const c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

}  // namespace

void KeysetWriter::put(bool value) {
    bytes_ += 'b';
    bytes_ += value ? '\1' : '\0';
}

void KeysetWriter::put(std::int64_t value) {
    bytes_ += 'i';
    append_number(bytes_, static_cast<std::uint64_t>(value), 8);
}

// A cut key would skip or repeat rows that begin alike, so whoever sorts by longer text sorts by a prefix column.
void KeysetWriter::put(std::string_view value) {
    if (value.size() > max_text) throw std::logic_error("A sort key of text is at most 1,000 bytes long.");
    bytes_ += 't';
    append_number(bytes_, value.size(), 2);
    bytes_ += value;
}

void KeysetWriter::put(Timestamp value) {
    bytes_ += 'm';
    append_number(bytes_, static_cast<std::uint64_t>(value.time_since_epoch().count()), 8);
}

void KeysetWriter::put(Uuid const& value) {
    bytes_ += 'u';
    for (auto const byte : value.bytes) bytes_ += static_cast<char>(byte);
}

std::optional<std::string_view> KeysetReader::piece(char type, std::size_t size) {
    if (rest_.size() < size + 1 || rest_.front() != type) return std::nullopt;
    auto const bytes = rest_.substr(1, size);
    rest_.remove_prefix(size + 1);
    return bytes;
}

bool KeysetReader::take(bool& value) {
    auto const bytes = piece('b', 1);
    if (!bytes || static_cast<unsigned char>(bytes->front()) > 1) return false;
    value = bytes->front() != '\0';
    return true;
}

bool KeysetReader::take(std::int64_t& value) {
    auto const bytes = piece('i', 8);
    if (!bytes) return false;
    value = static_cast<std::int64_t>(read_number(*bytes));
    return true;
}

bool KeysetReader::take(std::string& value) {
    auto const length = piece('t', 2);
    if (!length) return false;
    auto const size = read_number(*length);
    if (size > max_text || rest_.size() < size) return false;
    auto const text = rest_.substr(0, size);
    if (!is_utf8(text) || text.find('\0') != std::string_view::npos) return false;
    value.assign(text);
    rest_.remove_prefix(size);
    return true;
}

bool KeysetReader::take(Timestamp& value) {
    auto const bytes = piece('m', 8);
    if (!bytes) return false;
    value = Timestamp{std::chrono::microseconds{static_cast<std::int64_t>(read_number(*bytes))}};
    return true;
}

bool KeysetReader::take(Uuid& value) {
    auto const bytes = piece('u', value.bytes.size());
    if (!bytes) return false;
    std::memcpy(value.bytes.data(), bytes->data(), bytes->size());
    return true;
}

std::string Cursors::mac(std::string_view scope, std::string_view keyset) const {
    std::string covered;
    covered.reserve(8 + scope.size() + keyset.size());
    append_number(covered, scope.size(), 8);
    covered += scope;
    covered += keyset;
    auto tag = hmac_sha256(secret_, covered);
    tag.resize(mac_size);
    return tag;
}

std::string Cursors::seal(std::string_view scope, std::string_view keyset) const {
    auto bytes = mac(scope, keyset);
    bytes += keyset;
    return base64url(bytes);
}

std::optional<std::string> Cursors::open(std::string_view scope, std::string_view cursor) const {
    if (cursor.size() > max_cursor_length) return std::nullopt;
    auto const bytes = from_base64url(cursor);
    if (!bytes || bytes->size() < mac_size) return std::nullopt;
    auto keyset = bytes->substr(mac_size);
    if (!equal_in_constant_time(std::string_view(*bytes).substr(0, mac_size), mac(scope, keyset))) return std::nullopt;
    return keyset;
}

}  // namespace buildplan::api
