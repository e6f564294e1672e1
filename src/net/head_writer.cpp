#include "net/head_writer.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/problem.hpp"
#include "net/header_set.hpp"

namespace buildplan::net {
namespace {

struct Standard {
    std::uint32_t bit;
    std::string_view line;
};

// For an API: nothing of it is a page, so nothing may be loaded, framed or sniffed. A page brings its own policy.
constexpr Standard standard[] = {
    {header_set::content_type_options, "X-Content-Type-Options: nosniff\r\n"},
    {header_set::referrer_policy, "Referrer-Policy: no-referrer\r\n"},
    {header_set::frame_options, "X-Frame-Options: DENY\r\n"},
    {header_set::content_security_policy, "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"},
    {header_set::opener_policy, "Cross-Origin-Opener-Policy: same-origin\r\n"},
    {header_set::resource_policy, "Cross-Origin-Resource-Policy: same-origin\r\n"},
};

constexpr std::uint32_t standard_bits = [] {
    std::uint32_t bits = 0;
    for (auto const& each : standard) bits |= each.bit;
    return bits;
}();

void append_number(std::string& out, std::uint64_t number) {
    char text[20];
    auto const end = std::to_chars(text, text + sizeof text, number).ptr;
    out.append(text, end);
}

void append_framing(std::string& out, ResponseFraming const& framing) {
    using enum ResponseFraming::Body;
    if (framing.body == length) {
        out += "Content-Length: ";
        append_number(out, framing.length);
        out += "\r\n";
    } else if (framing.body == chunked) {
        out += "Transfer-Encoding: chunked\r\n";
    }
    if (framing.upgrade) {
        out += "Connection: Upgrade\r\n";
    } else if (framing.close) {
        out += "Connection: close\r\n";
    } else if (framing.http_1_0) {
        out += "Connection: keep-alive\r\n";
    }
    if (framing.gzip) out += "Content-Encoding: gzip\r\n";
    if (framing.vary_encoding) out += "Vary: Accept-Encoding\r\n";
}

std::string all_standard() {
    std::string lines;
    for (auto const& each : standard) lines += each.line;
    return lines;
}

}  // namespace

std::string http_date(std::chrono::sys_seconds time) {
    constexpr std::string_view days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    auto const day = std::chrono::floor<std::chrono::days>(time);
    std::chrono::year_month_day const date{day};
    std::chrono::hh_mm_ss const clock{time - day};
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[std::chrono::weekday{day}.c_encoding()],
                       static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                       static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                       clock.seconds().count());
}

HeadWriter::HeadWriter(CorsPolicy const& cors, std::chrono::seconds hsts) : cors_(cors), standard_(all_standard()) {
    if (hsts.count() > 0) hsts_ = fmt::format("Strict-Transport-Security: max-age={}\r\n", hsts.count());
}

void HeadWriter::refresh_date() {
    auto const second = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    if (second == date_of_) return;
    date_of_ = second;
    date_ = "Date: " + http_date(second) + "\r\n";
}

void HeadWriter::append(std::string& out, Response const& response, ResponseFraming const& framing,
                        Answered const& answered) {
    refresh_date();
    if (response.status == 200) {
        out += "HTTP/1.1 200 OK\r\n";
    } else {
        out += "HTTP/1.1 ";
        append_number(out, static_cast<std::uint64_t>(response.status));
        out += ' ';
        out += status_phrase(response.status);
        out += "\r\n";
    }
    out += date_;
    auto const own = response.overrides();
    if (!response.content_type.empty() && (own & header_set::content_type) == 0 &&
        framing.body != ResponseFraming::Body::none) {
        out += "Content-Type: ";
        out += response.content_type;
        out += "\r\n";
    }
    append_framing(out, framing);
    out += response.header_lines();
    if (!answered.id.empty() && (own & header_set::request_id) == 0) {
        out += "X-Request-Id: ";
        out += answered.id;
        out += "\r\n";
    }
    if ((own & header_set::allow_origin) == 0) cors_.append(out, answered.origin);
    if ((own & standard_bits) == 0) {
        out += standard_;
    } else {
        for (auto const& each : standard) {
            if ((own & each.bit) == 0) out += each.line;
        }
    }
    if (answered.scheme == "https" && (own & header_set::transport_security) == 0) out += hsts_;
    out += "\r\n";
}

}  // namespace buildplan::net
