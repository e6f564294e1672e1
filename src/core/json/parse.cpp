#include "core/json/parse.hpp"

#include <fmt/core.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory_resource>

#include "core/json/utf8.hpp"
#include "core/problem.hpp"

namespace buildplan::json {
namespace {

using boost::json::error_code;
using View = boost::json::string_view;

// What boost::json::basic_parser calls for each piece (its documentation lists the members). Builds the value as
// Boost's own handler does, and keeps the keys of the objects that are open.
class Builder {
public:
    static constexpr std::size_t max_object_size = boost::json::object::max_size();
    static constexpr std::size_t max_array_size = boost::json::array::max_size();
    static constexpr std::size_t max_key_size = 1024;
    static constexpr std::size_t max_string_size = boost::json::string::max_size();

    Builder(std::size_t most_values, boost::json::storage_ptr storage) : values_left_(most_values) {
        stack_.reset(std::move(storage));
    }

    std::string complaint;  // in place of what the error code says

    boost::json::value release() { return stack_.release(); }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_array_begin(error_code&) { return true; }
    bool on_array_end(std::size_t count, error_code& ec) {
        stack_.push_array(count);
        return counted(ec);
    }
    bool on_object_begin(error_code&) {
        objects_.push_back(key_ends_.size());
        return true;
    }
    bool on_object_end(std::size_t count, error_code& ec) {
        if (!keys_differ(ec)) return false;
        auto const first = objects_.back();
        objects_.pop_back();
        keys_.resize(first == 0 ? 0 : key_ends_[first - 1]);
        key_ends_.resize(first);
        stack_.push_object(count);
        return counted(ec);
    }
    bool on_key_part(View part, std::size_t, error_code&) {
        keys_.append(part.data(), part.size());
        stack_.push_chars(part);
        return true;
    }
    bool on_key(View part, std::size_t, error_code&) {
        keys_.append(part.data(), part.size());
        key_ends_.push_back(keys_.size());
        stack_.push_key(part);
        return true;
    }
    bool on_string_part(View part, std::size_t, error_code&) {
        stack_.push_chars(part);
        return true;
    }
    bool on_string(View part, std::size_t, error_code& ec) {
        stack_.push_string(part);
        return counted(ec);
    }
    bool on_number_part(View, error_code&) { return true; }
    bool on_int64(std::int64_t value, View text, error_code& ec) {
        if (value == 0 && text.front() == '-') {
            stack_.push_double(-0.0);
        } else {
            stack_.push_int64(value);
        }
        return counted(ec);
    }
    bool on_uint64(std::uint64_t value, View, error_code& ec) {
        stack_.push_uint64(value);
        return counted(ec);
    }
    bool on_double(double value, View text, error_code& ec) {
        // Boost 1.81 may be off by a few units in the last place. The text is whole, because the document is.
        double exact = 0;
        auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), exact);
        if (failure == std::errc{}) value = exact;
        stack_.push_double(value);
        return counted(ec);
    }
    bool on_bool(bool value, error_code& ec) {
        stack_.push_bool(value);
        return counted(ec);
    }
    bool on_null(error_code& ec) {
        stack_.push_null();
        return counted(ec);
    }
    bool on_comment_part(View, error_code&) { return true; }
    bool on_comment(View, error_code&) { return true; }

private:
    bool counted(error_code& ec) {
        if (values_left_-- > 0) return true;
        complaint = "it holds too many values";
        ec = boost::json::error::array_too_large;
        return false;
    }

    [[nodiscard]] std::string_view key(std::size_t i) const {
        auto const begin = i == 0 ? 0 : key_ends_[i - 1];
        return std::string_view{keys_}.substr(begin, key_ends_[i] - begin);
    }

    // Looks through the keys of the innermost object.
    bool keys_differ(error_code& ec) {
        auto const first = objects_.back();
        auto const count = key_ends_.size() - first;
        if (count < 2) return true;
        std::pmr::vector<std::string_view> sorted{&memory_};
        sorted.reserve(count);
        for (std::size_t i = 0; i < count; ++i) sorted.push_back(key(first + i));
        std::ranges::sort(sorted);
        auto const twin = std::ranges::adjacent_find(sorted);
        if (twin == sorted.end()) return true;
        complaint = fmt::format("the object that ends here has the key \"{}\" twice", *twin);
        ec = boost::json::error::syntax;
        return false;
    }

    boost::json::value_stack stack_;
    std::size_t values_left_;
    std::array<std::byte, 2048> buffer_;
    std::pmr::monotonic_buffer_resource memory_{buffer_.data(), buffer_.size()};
    // The keys of all open objects side by side; where each ends; which is the first of each object.
    std::pmr::string keys_{&memory_};
    std::pmr::vector<std::size_t> key_ends_{&memory_};
    std::pmr::vector<std::size_t> objects_{&memory_};
};

std::string explain(error_code ec, Limits const& limits) {
    using boost::json::error;
    if (ec == error::incomplete) return "it ends too early";
    if (ec == error::extra_data) return "something follows the value";
    if (ec == error::too_deep) return fmt::format("it is nested more than {} levels deep", limits.depth);
    if (ec == error::illegal_leading_surrogate || ec == error::illegal_trailing_surrogate) return "a lone surrogate";
    if (ec == error::expected_hex_digit || ec == error::expected_utf16_escape) return "an unfinished \\u escape";
    if (ec == error::key_too_large) return "a key of more than 1024 bytes";
    if (ec == error::exponent_overflow) return "an exponent too large";
    return "not expected here";
}

[[noreturn]] void refuse(std::string_view text, std::size_t offset, std::string_view why) {
    auto const before = text.substr(0, offset);
    auto const line = 1 + std::ranges::count(before, '\n');
    auto const newline = before.rfind('\n');
    auto const in_line = newline == std::string_view::npos ? before : before.substr(newline + 1);
    auto const column = 1 + utf8::code_points(in_line).value_or(in_line.size());
    throw problems::malformed(
        fmt::format("This is not JSON as we take it: line {}, column {}: {}.", line, column, why));
}

}  // namespace

boost::json::value parse(std::string_view text, Limits const& limits, boost::json::storage_ptr storage) {
    boost::json::parse_options options;
    options.max_depth = limits.depth;
    boost::json::basic_parser<Builder> parser{options, limits.values, std::move(storage)};
    error_code ec;
    auto used = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec && used < text.size()) ec = boost::json::error::extra_data;
    if (ec) {
        auto const& complaint = parser.handler().complaint;
        refuse(text, used, complaint.empty() ? explain(ec, limits) : complaint);
    }
    return parser.handler().release();
}

}  // namespace buildplan::json
