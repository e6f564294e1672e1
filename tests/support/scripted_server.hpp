// ScriptedServer: an HTTP server on a raw socket and a thread of its own that does what a test tells it to, wrong
// things above all: answers late, in drops, without end, half, not at all. Reads whole requests (Content-Length and
// chunked) and asks the script what to do about each.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace buildplan::test_support {

struct SeenRequest {
    std::string method, target, head, body;                         // the head with its request line
    unsigned connection = 0;                                        // counted from 1
    unsigned number = 0;                                            // of the server's requests, from 1
    [[nodiscard]] std::string header(std::string_view name) const;  // "" when there is none
};

// One thing to do, in order: wait, write, then perhaps end the connection.
struct Step {
    enum class Then : std::uint8_t {
        go_on,
        close,    // in order
        reset,    // with an RST
        hang,     // does nothing until the client leaves
        forever,  // writes `bytes` again until the client leaves
    };
    std::string bytes;
    int wait_ms = 0;
    Then then = Then::go_on;
    std::atomic<bool> const* until = nullptr;  // and for this
};
using Steps = std::vector<Step>;

// A whole answer with Content-Length. `headers` are lines that end with CRLF.
std::string answer(int status, std::string_view body = {}, std::string_view headers = {});

class ScriptedServer {
public:
    using Script = std::function<Steps(SeenRequest const&)>;

    // The script runs on the server's thread. Listens on 127.0.0.1, or on `address`.
    explicit ScriptedServer(Script script, std::string const& address = "127.0.0.1");
    ~ScriptedServer();
    ScriptedServer(ScriptedServer const&) = delete;
    ScriptedServer& operator=(ScriptedServer const&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::string url(std::string_view path = "/") const;
    [[nodiscard]] unsigned connections() const;       // accepted so far
    [[nodiscard]] unsigned open_connections() const;  // now
    [[nodiscard]] std::uint64_t written() const;      // bytes
    [[nodiscard]] std::vector<SeenRequest> seen() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace buildplan::test_support
