#include "net/client/exchange.hpp"

#include <curl/curl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "core/text.hpp"

namespace buildplan::net {
namespace {

constexpr std::size_t window = 64u << 10;        // of a streamed answer, before libcurl has to wait
constexpr std::size_t skipped_body = 64u << 10;  // of a redirect; a longer one costs its connection

}  // namespace

Exchange::Exchange(CurlMulti& multi, Alarm& alarm, HttpTrust const& trust, Order const& order)
    : multi_(multi), alarm_(alarm), trust_(trust), order_(order), easy_(curl_easy_init()) {
    if (!easy_) throw std::bad_alloc();
    response_.url = order_.url.text;
    touch();
    set_up();
    multi_.add(easy_.get(), *this);
}

Exchange::~Exchange() {
    if (!result_) multi_.remove(easy_.get());
}

void Exchange::ended(int curl_code) noexcept {
    result_ = curl_code;
    alarm_.ring();
}

task<Exchange::News> Exchange::news(Alarm::Time deadline) {
    for (;;) {
        auto const now = std::chrono::steady_clock::now();
        if (result_ && window_.empty()) co_return News::ended;
        if (!window_.empty() && now < deadline) co_return News::piece;
        if (hungry_ && now < deadline) co_return News::hungry;
        auto const limit = std::min(deadline, patience());
        if (now >= limit) {
            throw HttpError(HttpError::Kind::timeout, fmt::format("{} took too long", order_.url.host),
                            !connected_ || order_.repeatable);
        }
        co_await alarm_.until(limit);
    }
}

// Until there is a connection libcurl watches the clock itself: it shares the time out among a host's addresses.
Alarm::Time Exchange::patience() const noexcept {
    if (!connected_) return Alarm::Time::max();
    auto const& timeouts = order_.request.options.timeouts;
    return touched_ + (heard_ ? timeouts.idle : timeouts.first_byte);
}

std::string Exchange::take_piece() noexcept { return std::exchange(window_, {}); }

void Exchange::read_on() noexcept {
    touch();
    if (std::exchange(paused_, false) && !result_) curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
}

void Exchange::feed(std::string piece) {
    source_ended_ = piece.empty();
    outgoing_ = std::move(piece);
    sent_ = 0;
    hungry_ = false;
    read_on();
}

HttpResponse Exchange::finish() {
    if (*result_ != CURLE_OK && !(skipped() && *result_ == CURLE_WRITE_ERROR)) throw failure();
    return std::move(response_);
}

bool Exchange::skipped() const noexcept { return order_.skip_redirects && response_.redirects(); }

// One line, or the empty one that ends a head. There may be several heads (1xx), and lines after the body (trailers).
std::size_t Exchange::take_header(std::string_view line) {
    touch();
    if (!std::exchange(heard_, true)) alarm_.ring();  // other patience from here on
    header_bytes_ += line.size();
    if (header_bytes_ > order_.request.options.max_headers) {
        too_large_ = true;
        return 0;
    }
    auto const length = line.size();
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {
        auto const code = line.substr(std::min(line.find(' '), line.size()));
        response_.headers.clear();
        response_.status = 0;
        if (code.size() >= 4) std::from_chars(code.data() + 1, code.data() + 4, response_.status);
        head_done_ = false;
    } else if (line.empty()) {
        head_done_ = response_.status >= 200;
    } else if (auto const colon = line.find(':'); !head_done_ && colon != std::string_view::npos) {
        response_.headers.push_back(
            {std::string(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1)))});
    }
    return length;
}

std::size_t Exchange::take_body(std::string_view bytes) {
    touch();
    if (skipped()) {
        header_bytes_ += bytes.size();
        return header_bytes_ > skipped_body + order_.request.options.max_headers ? 0 : bytes.size();
    }
    if (order_.streamed && response_.ok()) {
        if (window_.size() >= window) {
            paused_ = true;
            return CURL_WRITEFUNC_PAUSE;
        }
        window_ += bytes;
        alarm_.ring();
        return bytes.size();
    }
    if (bytes.size() > order_.request.options.max_response - response_.body.size()) {
        too_large_ = true;
        return 0;
    }
    response_.body += bytes;
    return bytes.size();
}

std::size_t Exchange::give_body(char* to, std::size_t room) {
    touch();
    if (sent_ == outgoing_.size()) {
        if (source_ended_) return 0;
        hungry_ = paused_ = true;
        alarm_.ring();
        return CURL_READFUNC_PAUSE;
    }
    auto const count = std::min(room, outgoing_.size() - sent_);
    std::memcpy(to, outgoing_.data() + sent_, count);
    sent_ += count;
    return count;
}

HttpError Exchange::failure() const {
    using enum HttpError::Kind;
    auto const& host = order_.url.host;
    auto const error = [&](HttpError::Kind kind, std::string_view what, bool with_words = false) {
        auto message = fmt::format("{}: {}", host, what);
        if (with_words && message_[0] != '\0') message += fmt::format(" ({})", message_.data());
        return HttpError(kind, message, !connected_ || order_.repeatable);
    };
    if (too_large_) return error(too_large, "the answer is larger than this request allows");
    if (refused_ && !tried_) return error(refused_address, "its address is not one that may be called");
    switch (static_cast<CURLcode>(*result_)) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return error(resolve, "the name has no address");
        case CURLE_COULDNT_CONNECT:
            return error(connect, "no connection", true);
        case CURLE_OPERATION_TIMEDOUT:
            return error(timeout, connected_ ? "took too long" : "took too long to connect");
        case CURLE_FILESIZE_EXCEEDED:
            return error(too_large, "the answer is larger than this request allows");
        case CURLE_ABORTED_BY_CALLBACK:
            if (repeated_) return error(aborted, "a kept connection was cut, and the request may not be sent twice");
            return error(refused_address, "its address is not one that may be called");
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_READ_ERROR:
        case CURLE_HTTP2_STREAM:
            return error(aborted, "the connection was cut before the answer was complete");
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_PEER_FAILED_VERIFICATION:
            return error(tls, "no trusted TLS connection", true);
        default:
            return error(protocol, "what came back is not a usable HTTP answer");
    }
}

}  // namespace buildplan::net
