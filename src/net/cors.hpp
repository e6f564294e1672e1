// CORS (WHATWG Fetch, section 3.2): which headers tell a browser that a script of another origin may read an answer.
// An origin that is not listed gets none of them, which is how a browser is told no.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "net/response.hpp"

namespace buildplan::net {

struct Cors {
    std::vector<std::string> origins;  // "https://app.example.com"; "*" for any, never together with credentials
    bool credentials = false;
    std::vector<std::string> request_headers;  // that a script may send
    std::vector<std::string> exposed_headers;  // that a script may read
    std::chrono::seconds max_age{600};
};

class CorsPolicy {
public:
    // Throws std::invalid_argument for "*" with credentials.
    explicit CorsPolicy(Cors cors);

    [[nodiscard]] bool on() const noexcept { return !cors_.origins.empty(); }
    // Appends the headers of an answer to a request from `origin`; empty: the request names none.
    void append(std::string& out, std::string_view origin) const;
    // Puts onto the answer of a preflight what it says of an allowed origin.
    void answer_preflight(Response& response, std::string_view origin, std::string_view methods) const;

private:
    [[nodiscard]] bool allows(std::string_view origin) const noexcept;

    Cors cors_;
    bool any_ = false;
    std::string answer_;  // the constant lines
};

}  // namespace buildplan::net
