// Connection: one client's connection from accept to close: reads a head, lets the upper floor decide about it, reads
// the body, runs the handler, writes the answer, and again. Answers leave in the order of the requests; those to
// pipelined requests leave together. One task runs all of it; `cut` reaches into it from the sweep.
#pragma once

#include <array>
#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <optional>
#include <string>

#include "net/buffer.hpp"
#include "net/connections.hpp"
#include "net/proxies.hpp"
#include "net/request_body.hpp"

namespace buildplan::net {

class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(std::shared_ptr<Connections> all, TcpSocket socket, asio::ip::tcp::endpoint const& peer);
    ~Connection();
    Connection(Connection const&) = delete;
    Connection& operator=(Connection const&) = delete;

    void start();

    // For the sweep.
    [[nodiscard]] Wire& wire() noexcept { return wire_; }
    [[nodiscard]] bool in_handler() const noexcept { return in_handler_; }
    // Has no request that is unanswered.
    [[nodiscard]] bool idle() const noexcept {
        return wire_.phase() == Phase::idle || wire_.phase() == Phase::first_byte;
    }
    [[nodiscard]] bool more_behind() const noexcept { return more_behind_; }
    void cut(Cut reason);
    // Gives back the memory of a connection that has been idle for a while.
    void cool();

    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
    std::size_t index = nowhere;  // in Connections::open_

private:
    // What is needed while a request is in work or expected soon.
    struct Exchange {
        Buffer in;
        Request request;
        Framing framing;
        std::string decoded, body, remote;
        std::array<char, 36> made_id{};
        std::string_view origin, accept_encoding;
        std::string joined_encodings;
    };
    static task<> run(std::shared_ptr<Connection> self);

    // Reading.
    [[nodiscard]] bool head_at_hand();
    task<bool> next_head();
    task<std::size_t> read_some();
    void identify(Request& request);

    // Serving. What returns a bool tells whether the connection can go on.
    task<bool> serve();
    std::optional<Response> early_answer(Request& request, BodyPolicy& policy);
    Response options(Request const& request);
    task<std::optional<Response>> read_body(Request& request, RequestBody& body);
    task<std::optional<Response>> handle(Request& request, RequestBody& body);
    Response render(Problem const& problem, Request const& request);
    task<bool> refuse(Refusal refusal);

    // Answering.
    task<bool> answer(Request& request, Response& response, RequestBody& body);
    [[nodiscard]] bool keep_after(Response const& response, RequestBody& body);
    task<bool> stream(Response& response, bool chunked);
    task<bool> hand_over(Response& response);
    task<bool> send(std::string_view more);
    void flush_pending();
    void done(Request const& request, int status, std::uint64_t received, bool completed);

    std::shared_ptr<Connections> all_;
    Wire wire_;
    asio::cancellation_signal signal_;
    Address peer_;
    std::string peer_text_;
    std::unique_ptr<Exchange> exchange_;
    HeadScan scan_;
    Clock::time_point started_;
    std::size_t head_size_ = 0;
    std::size_t line_ends_ = 0;  // skipped before the head
    std::size_t requests_ = 0;
    std::optional<Refusal> refusal_;
    std::uint64_t sent_ = 0;  // bytes of the answer in work
    bool in_handler_ = false;
    bool more_behind_ = false;
    bool cooling_ = false;
    bool flush_posted_ = false;
    bool gone_ = false;    // the client has left, or takes nothing any more
    bool unread_ = false;  // the client may still be sending something that nobody will read
};

}  // namespace buildplan::net
