// Cursors: where a list goes on, opaque to the caller. A cursor is base64url of a MAC and the values of the last row's
// sort key, each with its type. The MAC covers a scope that the pipeline makes of route, sort, filters and
// organization, so a cursor that was changed, or that belongs to another list or tenant, is a 400 `invalid-cursor` and
// never a surprising page. Isolation does not depend on it: the statement that it steers runs under row-level security.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/id.hpp"
#include "core/time.hpp"

namespace buildplan::api {

inline constexpr std::size_t max_cursor_length = 2'048;

// Values of a keyset one after another: a type byte, then big-endian bytes, text with a length of two bytes.
class KeysetWriter {
public:
    void put(bool value);
    void put(std::int64_t value);
    void put(std::string_view value);  // at most 1,000 bytes
    void put(Timestamp value);
    void put(Uuid const& value);
    template <class Tag>
    void put(Id<Tag> const& id) {
        put(id.value);
    }
    template <class... Values>
    static std::string encode(Values const&... values) {
        KeysetWriter writer;
        (writer.put(values), ...);
        return std::move(writer.bytes_);
    }

private:
    std::string bytes_;
};

class KeysetReader {
public:
    explicit KeysetReader(std::string_view bytes) noexcept : rest_(bytes) {}
    // False when what comes next is something else.
    bool take(bool& value);
    bool take(std::int64_t& value);
    bool take(std::string& value);
    bool take(Timestamp& value);
    bool take(Uuid& value);
    template <class Tag>
    bool take(Id<Tag>& id) {
        return take(id.value);
    }
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

    // Nothing unless `bytes` are exactly these values.
    template <class... Values>
    static std::optional<std::tuple<Values...>> decode(std::string_view bytes) {
        KeysetReader reader(bytes);
        std::tuple<Values...> values;
        bool const whole = std::apply([&](auto&... value) { return (reader.take(value) && ...); }, values);
        if (!whole || !reader.at_end()) return std::nullopt;
        return values;
    }

private:
    std::optional<std::string_view> piece(char type, std::size_t size);
    std::string_view rest_;
};

class Cursors {
public:
    // `secret` is the installation's: all processes of one share it, or their cursors are strangers to each other.
    explicit Cursors(std::string secret) : secret_(std::move(secret)) {}

    [[nodiscard]] std::string seal(std::string_view scope, std::string_view keyset) const;
    // The keyset; nothing for what `seal` did not make with this scope.
    [[nodiscard]] std::optional<std::string> open(std::string_view scope, std::string_view cursor) const;

private:
    [[nodiscard]] std::string mac(std::string_view scope, std::string_view keyset) const;
    std::string secret_;
};

}  // namespace buildplan::api
