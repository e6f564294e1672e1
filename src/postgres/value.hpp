// Values on their way to PostgreSQL and back, in its binary format (the *_send and *_recv functions of the server; for
// arrays, array_recv). Parameters collects the arguments of one statement in one buffer; RowView reads one row of a
// binary result in place. Which C++ type stands for which PostgreSQL type:
//   bool bool, int2 int16_t, int4 int32_t, int8 int64_t, float8 double, timestamptz Timestamp, uuid Uuid or Id<Tag>,
//   text and bytea std::string (std::string_view as a parameter), jsonb Json (JsonView), T[] std::vector<T> (span),
//   a nullable T std::optional<T>.
// Reading throws std::logic_error for a NULL that was not asked for and for a value of another size or element type:
// both mean that the program and the schema do not fit, never that a caller did something wrong.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/id.hpp"
#include "core/time.hpp"

extern "C" {
struct pg_result;
}

namespace buildplan::postgres {

// The types that are spoken, as in pg_type.
namespace oid {
inline constexpr std::uint32_t boolean = 16, bytea = 17, int8 = 20, int2 = 21, int4 = 23, text = 25, float8 = 701,
                               varchar = 1043, timestamptz = 1184, uuid = 2950, jsonb = 3802;
inline constexpr std::uint32_t bytea_array = 1001, boolean_array = 1000, int4_array = 1007, text_array = 1009,
                               int8_array = 1016, timestamptz_array = 1185, uuid_array = 2951;
}  // namespace oid

// The text of a JSON document.
struct JsonView {
    std::string_view text;
};
struct Json {
    std::string text;
    operator JsonView() const noexcept { return {text}; }  // NOLINT: a Json is one wherever it is only looked at
    friend bool operator==(Json const&, Json const&) = default;
};

namespace detail {

void put(std::string& out, bool value);
void put(std::string& out, std::int16_t value);
void put(std::string& out, std::int32_t value);
void put(std::string& out, std::int64_t value);
void put(std::string& out, double value);
void put(std::string& out, Timestamp value);
void put(std::string& out, Uuid const& value);
void put(std::string& out, std::string_view value);
void put(std::string& out, JsonView value);

void take(std::string_view bytes, bool& value);
void take(std::string_view bytes, std::int16_t& value);
void take(std::string_view bytes, std::int32_t& value);
void take(std::string_view bytes, std::int64_t& value);
void take(std::string_view bytes, double& value);
void take(std::string_view bytes, Timestamp& value);
void take(std::string_view bytes, Uuid& value);
void take(std::string_view bytes, std::string_view& value);
void take(std::string_view bytes, std::string& value);
void take(std::string_view bytes, Json& value);

template <class Tag>
void take(std::string_view bytes, Id<Tag>& value) {
    take(bytes, value.value);
}

// The type of an array's elements.
template <class T>
inline constexpr std::uint32_t element_oid = 0;
template <>
inline constexpr std::uint32_t element_oid<bool> = oid::boolean;
template <>
inline constexpr std::uint32_t element_oid<std::int32_t> = oid::int4;
template <>
inline constexpr std::uint32_t element_oid<std::int64_t> = oid::int8;
template <>
inline constexpr std::uint32_t element_oid<Timestamp> = oid::timestamptz;
template <>
inline constexpr std::uint32_t element_oid<Uuid> = oid::uuid;
template <class Tag>
inline constexpr std::uint32_t element_oid<Id<Tag>> = oid::uuid;
template <>
inline constexpr std::uint32_t element_oid<std::string> = oid::text;
template <>
inline constexpr std::uint32_t element_oid<std::string_view> = oid::text;

template <class T>
concept Element = element_oid<T> != 0;

// The elements of an array on the wire, one after another.
class ArrayReader {
public:
    ArrayReader(std::string_view bytes, std::uint32_t element_type);
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    std::string_view next();

private:
    std::string_view rest_;
    std::size_t size_ = 0;
};

template <Element T>
void take(std::string_view bytes, std::vector<T>& value) {
    ArrayReader array(bytes, element_oid<T>);
    value.clear();
    value.reserve(array.size());
    for (std::size_t i = 0; i < array.size(); ++i) {
        T item{};
        take(array.next(), item);
        value.push_back(std::move(item));
    }
}

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

}  // namespace detail

// The arguments of one statement, in order. clear() keeps the memory, unless it is much, so one object serves a
// connection for its life.
class Parameters {
public:
    void add(std::same_as<bool> auto value) { add_value(value); }
    void add(std::int16_t value) { add_value(value); }
    void add(std::int32_t value) { add_value(value); }
    void add(std::int64_t value) { add_value(value); }
    void add(double value) { add_value(value); }
    void add(Timestamp value) { add_value(value); }
    void add(Uuid const& value) { add_value(value); }
    void add(std::string_view value) { add_value(value); }  // text and bytea
    void add(JsonView value) { add_value(value); }

    template <class Tag>
    void add(Id<Tag> const& id) {
        add_value(id.value);
    }
    template <class T>
    void add(std::optional<T> const& value) {
        value ? add(*value) : add_null();
    }
    template <detail::Element T>
    void add(std::span<T const> items) {
        begin_array(detail::element_oid<T>, items.size());
        for (auto const& item : items) add_element(item);
        end();
    }
    template <detail::Element T>
    void add(std::vector<T> const& items) {
        add(std::span<T const>{items});
    }
    void add_null();
    void clear() noexcept;

    // As libpq takes them. The pointers hold until the next call of a member that is not const.
    [[nodiscard]] int count() const noexcept { return static_cast<int>(lengths_.size()); }
    [[nodiscard]] char const* const* values();
    [[nodiscard]] int const* lengths() const noexcept { return lengths_.data(); }
    [[nodiscard]] int const* formats() const noexcept { return formats_.data(); }  // all binary
    [[nodiscard]] std::size_t bytes() const noexcept { return buffer_.size(); }

private:
    template <class T>
    void add_value(T const& value) {
        begin();
        detail::put(buffer_, value);
        end();
    }
    template <class T>
    void add_element(T const& item) {
        auto const at = begin_element();
        if constexpr (requires { item.value.bytes; }) {
            detail::put(buffer_, item.value);
        } else {
            detail::put(buffer_, item);
        }
        end_element(at);
    }
    void begin();
    void end();
    void begin_array(std::uint32_t element_type, std::size_t size);
    std::size_t begin_element();
    void end_element(std::size_t at);

    std::string buffer_;
    std::vector<std::size_t> offsets_;  // npos for NULL
    std::vector<int> lengths_;
    std::vector<int> formats_;
    std::vector<char const*> values_;
};

// One row of a result. It looks into the result, and so do string_views that were read from it.
class RowView {
public:
    RowView(pg_result const* result, int row) noexcept : result_(result), row_(row) {}

    // Columns count from 0.
    template <class T>
    [[nodiscard]] T get(int column) const {
        if constexpr (detail::is_optional<T>) {
            if (is_null(column)) return std::nullopt;
            return get<typename T::value_type>(column);
        } else {
            T value{};
            detail::take(cell(column), value);
            return value;
        }
    }
    [[nodiscard]] bool is_null(int column) const noexcept;

private:
    [[nodiscard]] std::string_view cell(int column) const;

    pg_result const* result_;
    int row_;
};

}  // namespace buildplan::postgres
