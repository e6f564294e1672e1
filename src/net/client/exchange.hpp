// Exchange: one request on one connection and its answer, without retry or redirect. Destroying it ends it at once.
// libcurl's callbacks only take note and ring the alarm; the task that owns the exchange does the rest.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/client/alarm.hpp"
#include "net/client/curl_multi.hpp"
#include "net/client/http_message.hpp"
#include "net/client/http_url.hpp"

namespace buildplan::net {

// What every request of a client has in common.
struct HttpTrust {
    std::string user_agent;
    std::string ca_file;  // empty: the system's
    AllowList allowed;
};

class Exchange final : CurlTransfer {
public:
    struct Order {
        HttpRequest const& request;
        HttpUrl const& url;  // after redirects another than the request's
        std::string_view method;
        HttpHeaders const& headers;
        std::string_view body;
        bool with_source;
        bool streamed;        // a 2xx body is given out in pieces
        bool skip_redirects;  // a 3xx body with a Location is thrown away
        bool sign;            // with the request's AwsSignature, if it has one
        bool repeatable;      // may go out twice, should a kept connection turn out dead
    };

    // `order` and all that it refers to outlive the exchange.
    Exchange(CurlMulti& multi, Alarm& alarm, HttpTrust const& trust, Order const& order);
    ~Exchange();
    Exchange(Exchange const&) = delete;
    Exchange& operator=(Exchange const&) = delete;

    enum class News : std::uint8_t { piece, hungry, ended };
    // Waits for a piece of the body, for a want of the request's next piece, or for the end. Throws HttpError
    // (timeout).
    task<News> news(Alarm::Time deadline);
    [[nodiscard]] std::string take_piece() noexcept;  // then, when it is used up, read_on()
    void read_on() noexcept;
    void feed(std::string piece);

    [[nodiscard]] HttpResponse const& head() const noexcept { return response_; }
    // After the end: the answer, or HttpError thrown.
    HttpResponse finish();

private:
    struct Free {
        void operator()(void* easy) const noexcept;
    };
    struct FreeList {
        void operator()(void* list) const noexcept;
    };
    struct Callbacks;

    void set_up();
    void set_up_method();
    void set_up_headers();
    void ended(int curl_code) noexcept override;
    std::size_t take_header(std::string_view line);
    std::size_t take_body(std::string_view bytes);
    std::size_t give_body(char* to, std::size_t room);
    int open_socket(int family, int type, int protocol, void const* address) noexcept;
    bool connected(char const* address) noexcept;
    void touch() noexcept { touched_ = std::chrono::steady_clock::now(); }
    [[nodiscard]] bool skipped() const noexcept;
    [[nodiscard]] Alarm::Time patience() const noexcept;
    [[nodiscard]] HttpError failure() const;

    CurlMulti& multi_;
    Alarm& alarm_;
    HttpTrust const& trust_;
    Order order_;
    std::unique_ptr<void, Free> easy_;
    std::unique_ptr<void, FreeList> header_list_;
    std::array<char, 256> message_{};  // libcurl's words for what went wrong

    HttpResponse response_;
    std::size_t header_bytes_ = 0;
    bool head_done_ = false;
    std::string window_;    // of a streamed answer
    std::string outgoing_;  // of a request's source
    std::size_t sent_ = 0;
    bool source_ended_ = false;
    bool hungry_ = false;
    bool paused_ = false;

    std::optional<int> result_;
    bool connected_ = false;
    bool heard_ = false;    // the answer has begun
    bool refused_ = false;  // an address that may not be reached
    bool tried_ = false;    // an address that may
    bool repeated_ = false;
    bool too_large_ = false;
    std::int64_t uploaded_ = 0;
    Alarm::Time touched_;  // when the other side last did something
};

}  // namespace buildplan::net
