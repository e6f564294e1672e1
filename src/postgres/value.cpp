#include "postgres/value.hpp"

#include <libpq-fe.h>

#include <bit>
#include <climits>
#include <concepts>
#include <stdexcept>

#include "fmt/core.h"

namespace buildplan::postgres {
namespace {

constexpr std::size_t null_offset = std::string::npos;
// What a field of a protocol message can hold; the server refuses more than a GB anyway.
constexpr std::size_t max_field = INT_MAX;

// One large body must not stay in the memory of each connection that it passed.
constexpr std::size_t kept_buffer = std::size_t{64} * 1024;

// The epoch of PostgreSQL, 2000-01-01, on ours.
constexpr std::int64_t epoch_us = 946'684'800'000'000;
// 'infinity' and '-infinity'.
constexpr std::int64_t infinity = INT64_MAX;
constexpr std::int64_t minus_infinity = INT64_MIN;

template <std::unsigned_integral T>
void put_big_endian(std::string& out, T value) {
    char bytes[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
    out.append(bytes, sizeof bytes);
}

void patch_int4(std::string& out, std::size_t at, std::size_t value) {
    for (std::size_t i = 0; i < 4; ++i) out[at + i] = static_cast<char>(value >> (8 * (3 - i)));
}

void expect_size(std::string_view bytes, std::size_t size) {
    if (bytes.size() != size) {
        throw std::logic_error(
            fmt::format("PostgreSQL sent a value of {} bytes where {} were expected", bytes.size(), size));
    }
}

template <std::unsigned_integral T>
T take_big_endian(std::string_view bytes) {
    expect_size(bytes, sizeof(T));
    std::uint64_t value = 0;
    for (char const c : bytes) value = value << 8 | static_cast<std::uint8_t>(c);
    return static_cast<T>(value);
}

}  // namespace

namespace detail {

void put(std::string& out, bool value) { out.push_back(value ? '\1' : '\0'); }
void put(std::string& out, std::int16_t value) { put_big_endian(out, static_cast<std::uint16_t>(value)); }
void put(std::string& out, std::int32_t value) { put_big_endian(out, static_cast<std::uint32_t>(value)); }
void put(std::string& out, std::int64_t value) { put_big_endian(out, static_cast<std::uint64_t>(value)); }
void put(std::string& out, double value) { put_big_endian(out, std::bit_cast<std::uint64_t>(value)); }

void put(std::string& out, Timestamp value) {
    if (value == Timestamp::max()) return put(out, infinity);
    if (value == Timestamp::min()) return put(out, minus_infinity);
    auto const us = value.time_since_epoch().count();
    if (us < INT64_MIN + epoch_us) throw std::out_of_range("A time before what PostgreSQL can hold");
    put(out, std::int64_t{us - epoch_us});
}

void put(std::string& out, Uuid const& value) {
    out.append(reinterpret_cast<char const*>(value.bytes.data()), value.bytes.size());
}

void put(std::string& out, std::string_view value) { out.append(value); }

void put(std::string& out, JsonView value) {
    out.push_back('\1');  // the version of jsonb's format
    out.append(value.text);
}

void take(std::string_view bytes, bool& value) {
    expect_size(bytes, 1);
    value = bytes[0] != 0;
}
void take(std::string_view bytes, std::int16_t& value) {
    value = static_cast<std::int16_t>(take_big_endian<std::uint16_t>(bytes));
}
void take(std::string_view bytes, std::int32_t& value) {
    value = static_cast<std::int32_t>(take_big_endian<std::uint32_t>(bytes));
}
void take(std::string_view bytes, std::int64_t& value) {
    value = static_cast<std::int64_t>(take_big_endian<std::uint64_t>(bytes));
}
void take(std::string_view bytes, double& value) {
    value = std::bit_cast<double>(take_big_endian<std::uint64_t>(bytes));
}

void take(std::string_view bytes, Timestamp& value) {
    std::int64_t us = 0;
    take(bytes, us);
    if (us == infinity) {
        value = Timestamp::max();
    } else if (us == minus_infinity) {
        value = Timestamp::min();
    } else if (us > INT64_MAX - epoch_us) {
        throw std::logic_error("PostgreSQL sent a time past what the program can hold");
    } else {
        value = Timestamp{std::chrono::microseconds{us + epoch_us}};
    }
}

void take(std::string_view bytes, Uuid& value) {
    expect_size(bytes, value.bytes.size());
    std::memcpy(value.bytes.data(), bytes.data(), value.bytes.size());
}

void take(std::string_view bytes, std::string_view& value) { value = bytes; }
void take(std::string_view bytes, std::string& value) { value.assign(bytes); }

void take(std::string_view bytes, Json& value) {
    if (!bytes.starts_with('\1')) throw std::logic_error("PostgreSQL sent a jsonb of another version, or no jsonb");
    value.text.assign(bytes.substr(1));
}

// array_send: dimensions, whether there are NULLs, element type; for each dimension its length and lower bound; then
// each element as length and bytes.
ArrayReader::ArrayReader(std::string_view bytes, std::uint32_t element_type) {
    auto const header = [&](std::size_t index) {
        return take_big_endian<std::uint32_t>(bytes.size() < 4 * index + 4 ? std::string_view{}
                                                                           : bytes.substr(4 * index, 4));
    };
    auto const dimensions = header(0);
    if (dimensions > 1) throw std::logic_error("PostgreSQL sent an array of several dimensions");
    if (auto const type = header(2); type != element_type) {
        throw std::logic_error(
            fmt::format("PostgreSQL sent an array of type {} where {} was expected", type, element_type));
    }
    if (dimensions == 0) return;
    size_ = header(3);
    rest_ = bytes.substr(20);
    if (size_ > rest_.size() / 4) throw std::logic_error("PostgreSQL sent an array that is cut off");
}

std::string_view ArrayReader::next() {
    auto const length = static_cast<std::int32_t>(take_big_endian<std::uint32_t>(rest_.substr(0, 4)));
    if (length < 0) throw std::logic_error("PostgreSQL sent an array with a NULL in it");
    rest_.remove_prefix(4);
    auto const item = rest_.substr(0, static_cast<std::size_t>(length));
    expect_size(item, static_cast<std::size_t>(length));
    rest_.remove_prefix(item.size());
    return item;
}

}  // namespace detail

void Parameters::begin() { offsets_.push_back(buffer_.size()); }

void Parameters::end() {
    auto const size = buffer_.size() - offsets_.back();
    if (size > max_field) throw std::length_error("A parameter of more than 2 GB");
    lengths_.push_back(static_cast<int>(size));
    formats_.push_back(1);
}

void Parameters::add_null() {
    offsets_.push_back(null_offset);
    lengths_.push_back(0);
    formats_.push_back(1);
}

void Parameters::clear() noexcept {
    if (buffer_.capacity() > kept_buffer) std::string().swap(buffer_);
    buffer_.clear();
    offsets_.clear();
    lengths_.clear();
    formats_.clear();
}

char const* const* Parameters::values() {
    values_.resize(offsets_.size());
    for (std::size_t i = 0; i < offsets_.size(); ++i) {
        values_[i] = offsets_[i] == null_offset ? nullptr : buffer_.data() + offsets_[i];
    }
    return values_.data();
}

void Parameters::begin_array(std::uint32_t element_type, std::size_t size) {
    begin();
    if (size > max_field / 4) throw std::length_error("An array parameter of more than 2 GB");
    detail::put(buffer_, std::int32_t{size == 0 ? 0 : 1});
    detail::put(buffer_, std::int32_t{0});
    put_big_endian(buffer_, element_type);
    if (size == 0) return;
    detail::put(buffer_, static_cast<std::int32_t>(size));
    detail::put(buffer_, std::int32_t{1});
}

std::size_t Parameters::begin_element() {
    buffer_.append(4, '\0');
    return buffer_.size();
}

void Parameters::end_element(std::size_t at) {
    auto const size = buffer_.size() - at;
    if (size > max_field) throw std::length_error("An array element of more than 2 GB");
    patch_int4(buffer_, at - 4, size);
}

bool RowView::is_null(int column) const noexcept { return PQgetisnull(result_, row_, column) != 0; }

std::string_view RowView::cell(int column) const {
    auto const length = PQgetlength(result_, row_, column);
    // A NULL has the length 0: the second look is for the empty ones alone.
    if (length == 0 && is_null(column)) {
        auto const* const name = PQfname(result_, column);
        throw std::logic_error(
            fmt::format("Column {} ({}) is NULL where a value was expected", column, name ? name : "none"));
    }
    return {PQgetvalue(result_, row_, column), static_cast<std::size_t>(length)};
}

}  // namespace buildplan::postgres
