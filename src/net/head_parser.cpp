#include "net/head_parser.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "core/text.hpp"

namespace buildplan::net {
namespace {

namespace http = boost::beast::http;

constexpr Refusal malformed_head{400, "malformed", "The head of the request is malformed."};
constexpr Refusal head_too_large{431, "headers-too-large", "The headers of the request are too large or too many."};
constexpr Refusal target_too_long{414, "target-too-long", "The request target is too long."};
constexpr Refusal unknown_version{505, "http-version", "Only HTTP/1.1 and HTTP/1.0 are spoken here."};

std::string_view view(boost::beast::string_view text) noexcept { return {text.data(), text.size()}; }

class Parser final : public http::basic_parser<true> {
public:
    Parser(std::string_view head, HeadLimits const& limits, Request& request)
        : head_(head), limits_(limits), request_(request) {
        eager(false);
        header_limit(static_cast<std::uint32_t>(limits.head));
        body_limit(boost::none);
    }

    std::expected<Framing, Refusal> parse() {
        boost::system::error_code error;
        put({head_.data(), head_.size()}, error);
        if (refusal_) return std::unexpected(*refusal_);
        if (error == http::error::bad_version) return std::unexpected(version_refusal());
        if (error == http::error::header_limit) return std::unexpected(head_too_large);
        if (error || !is_header_done()) return std::unexpected(malformed_head);
        if (request_.method == "CONNECT") {
            return std::unexpected(Refusal{501, "not-implemented", "This server is no proxy."});
        }
        framing_.http_1_0 = version_ == 10;
        framing_.keep_alive = keep_alive();
        if (framing_.http_1_0) {
            if (framing_.chunked) return std::unexpected(malformed_head);
            framing_.expects_continue = false;  // RFC 9110 section 10.1.1
        } else if (hosts_ == 0) {
            return std::unexpected(Refusal{400, "malformed", "The request has no Host."});
        }
        return framing_;
    }

private:
    using Field = http::field;
    using Text = boost::beast::string_view;
    using Error = boost::system::error_code;

    void refuse(Refusal const& refusal, Error& error) {
        refusal_ = refusal;
        error = http::error::bad_value;
    }

    // "HTTP/" DIGIT "." DIGIT that is neither 1.0 nor 1.1, or something that is no version at all?
    [[nodiscard]] Refusal version_refusal() const noexcept {
        auto const line = head_.substr(0, head_.find("\r\n"));
        auto const version = line.substr(line.rfind(' ') + 1);
        auto const is_digit = [](char c) { return c >= '0' && c <= '9'; };
        bool const shaped = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                            version[6] == '.' && is_digit(version[7]);
        return shaped && version != "HTTP/1.1" && version != "HTTP/1.0" ? unknown_version : malformed_head;
    }

    void on_request_impl(http::verb, Text method, Text target, int version, Error& error) override {
        request_.method = view(method);
        request_.target = view(target);
        version_ = version;
        if (target.size() > limits_.target) return refuse(target_too_long, error);
        error = {};
    }

    // Beast joins folded lines (RFC 9112 section 5.2 allows a server to refuse them): a value that does not follow its
    // name on the same line was folded.
    [[nodiscard]] bool folded(Text name, Text value) const noexcept {
        auto const* const end = head_.data() + head_.size();
        std::less<char const*> const before;
        if (before(value.data(), name.end()) || !before(value.data(), end)) return true;
        return std::find(name.end(), value.data(), '\r') != value.data();
    }

    void on_field_impl(Field field, Text name, Text value, Error& error) override {
        if (folded(name, value)) return refuse(malformed_head, error);
        if (request_.headers.size() == limits_.headers) return refuse(head_too_large, error);
        request_.headers.push_back({view(name), view(value)});
        if (!check(field, view(value))) return refuse(refusal_.value_or(malformed_head), error);
        error = {};
    }

    // The fields that decide where a request ends, and those that must not be there twice.
    bool check(Field field, std::string_view value) {
        switch (field) {
            case Field::host:
                request_.host = value;
                return ++hosts_ == 1 && (value.empty() || is_authority(value));
            case Field::content_length:
                if (++lengths_ > 1 || transfer_encodings_ > 0 || value.empty() || value.size() > 18) return false;
                framing_.content_length = 0;
                for (char const c : value) {
                    if (c < '0' || c > '9') return false;
                    framing_.content_length = framing_.content_length * 10 + static_cast<std::uint64_t>(c - '0');
                }
                return true;
            case Field::transfer_encoding:
                if (++transfer_encodings_ > 1 || lengths_ > 0) return false;
                framing_.chunked = ascii_iequals(value, "chunked");
                if (!framing_.chunked)
                    refusal_ = {501, "not-implemented", "Of transfer codings only chunked is known."};
                return framing_.chunked;
            case Field::expect:
                framing_.expects_continue = ascii_iequals(value, "100-continue");
                if (!framing_.expects_continue)
                    refusal_ = {417, "expectation-failed", "Only 100-continue can be expected."};
                return framing_.expects_continue;
            case Field::authorization:
                return ++authorizations_ == 1;
            case Field::content_type:
                return ++content_types_ == 1;
            default:
                return true;
        }
    }

    void on_header_impl(Error& error) override { error = {}; }
    void on_response_impl(int, Text, int, Error& error) override { error = {}; }
    void on_body_init_impl(boost::optional<std::uint64_t> const&, Error& error) override { error = {}; }
    std::size_t on_body_impl(Text text, Error& error) override {
        error = {};
        return text.size();
    }
    void on_chunk_header_impl(std::uint64_t, Text, Error& error) override { error = {}; }
    std::size_t on_chunk_body_impl(std::uint64_t, Text text, Error& error) override {
        error = {};
        return text.size();
    }
    void on_finish_impl(Error& error) override { error = {}; }

    std::string_view head_;
    HeadLimits const& limits_;
    Request& request_;
    Framing framing_;
    std::optional<Refusal> refusal_;
    int version_ = 0;
    unsigned hosts_ = 0, lengths_ = 0, transfer_encodings_ = 0, authorizations_ = 0, content_types_ = 0;
};

}  // namespace

std::size_t leading_line_ends(std::string_view buffered) noexcept {
    std::size_t at = 0;
    while (buffered.substr(at).starts_with("\r\n")) at += 2;
    return at;
}

std::expected<std::size_t, Refusal> HeadScan::find(std::string_view buffered, HeadLimits const& limits) {
    // Something else than HTTP (TLS, a port scan) need not be waited for.
    bool const begins = buffered.empty() || (buffered[0] >= 'A' && buffered[0] <= 'z') || buffered == "\r";
    if (!begins) return std::unexpected(malformed_head);
    auto const end = buffered.find("\r\n\r\n", searched_ < 3 ? 0 : searched_ - 3);
    if (end != std::string_view::npos && end + 4 <= limits.head) return end + 4;
    searched_ = buffered.size();
    auto const line = std::min(buffered.find("\r\n"), buffered.size());
    auto const method = std::min(buffered.find(' '), line);
    if (line - method > limits.target + 16) return std::unexpected(target_too_long);
    if (end != std::string_view::npos || buffered.size() >= limits.head) {
        return std::unexpected(line == buffered.size() ? target_too_long : head_too_large);
    }
    return 0;
}

std::expected<Framing, Refusal> parse_head(std::string_view head, HeadLimits const& limits, Request& request,
                                           std::string& decoded) {
    Parser parser(head, limits, request);
    auto framing = parser.parse();
    if (!framing) return framing;
    auto const target = parse_target(request.target, request, decoded, limits.query_parameters);
    if (!target) return std::unexpected(target.error());
    return framing;
}

}  // namespace buildplan::net
