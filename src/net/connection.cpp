#include "net/connection.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/text.hpp"
#include "core/uuid.hpp"

namespace buildplan::net {
namespace {

constexpr unsigned served_in_a_row = 32;   // then others have their turn
constexpr std::size_t max_line_ends = 16;  // before a request

Address address_of(asio::ip::tcp::endpoint const& endpoint) {
    Address address;
    if (endpoint.address().is_v4()) {
        auto const bytes = endpoint.address().to_v4().to_bytes();
        address.bytes[10] = address.bytes[11] = 0xff;
        std::ranges::copy(bytes, address.bytes.begin() + 12);
    } else {
        address.bytes = endpoint.address().to_v6().to_bytes();
    }
    return address;
}

bool sane_id(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    });
}

Origin origin_of(TrustedProxies const& proxies, Address const& peer, Request const& request) {
    std::vector<std::string_view> forwarded, x_for, x_proto, x_host;
    for (auto const& [name, value] : request.headers) {
        if (ascii_iequals(name, "forwarded")) forwarded.push_back(value);
        if (ascii_iequals(name, "x-forwarded-for")) x_for.push_back(value);
        if (ascii_iequals(name, "x-forwarded-proto")) x_proto.push_back(value);
        if (ascii_iequals(name, "x-forwarded-host")) x_host.push_back(value);
    }
    return find_origin(proxies, peer, {forwarded, x_for, x_proto, x_host});
}

}  // namespace

Connection::Connection(std::shared_ptr<Connections> all, TcpSocket socket, asio::ip::tcp::endpoint const& peer)
    : all_(std::move(all)),
      wire_(std::move(socket), all_->metrics.received, all_->metrics.sent),
      peer_(address_of(peer)),
      peer_text_(peer_.to_string()) {}

Connection::~Connection() { all_->leave(*this); }

void Connection::start() {
    auto ended = [self = shared_from_this()](std::exception_ptr const&) {
        // An exception here is a cancellation that came too late to be of use; the socket closes in any case.
        self->all_->leave(*self);
        self->all_->end_drain_if_empty();
    };
    asio::co_spawn(all_->loop().io(), run(shared_from_this()),
                   asio::bind_cancellation_slot(signal_.slot(), std::move(ended)));
}

void Connection::cut(Cut reason) {
    auto const self = shared_from_this();
    if (wire_.cut_by() == reason && in_handler_) return;  // once is enough
    if (auto* const counter = all_->metrics.cut[static_cast<std::size_t>(reason)]) counter->add();
    bool const all_of_it = reason == Cut::total || reason == Cut::left || reason == Cut::drain;
    if (in_handler_ && (all_of_it || wire_.phase() == Phase::handler || wire_.phase() == Phase::upgraded)) {
        wire_.note_cut(reason);
        signal_.emit(asio::cancellation_type::terminal);
    } else {
        wire_.cut(reason);
    }
}

void Connection::cool() {
    if (!exchange_ || !exchange_->in.empty()) return;
    cooling_ = true;
    wire_.cut(Cut::no);
}

task<> Connection::run(std::shared_ptr<Connection> self) {
    for (unsigned turn = 1;; ++turn) {
        if (!self->head_at_hand()) {
            bool const there = co_await self->next_head();
            if (!there) break;
        }
        if (self->refusal_) {
            co_await self->refuse(*self->refusal_);
            break;
        }
        bool const again = co_await self->serve();
        if (!again) break;
        if (turn % served_in_a_row == 0) co_await asio::post(self->all_->loop().executor(), use_task);
    }
    self->exchange_.reset();
    if (self->unread_ && !self->gone_) co_await self->wire_.linger(self->all_->settings.timeouts.linger);
    boost::system::error_code ignored;
    self->wire_.socket().shutdown(TcpSocket::shutdown_both, ignored);
    self->wire_.socket().close(ignored);
}

// Whether the buffer holds a whole head, or one that is refused.
bool Connection::head_at_hand() {
    if (!exchange_) return false;
    auto const skipped = leading_line_ends(exchange_->in.view());
    exchange_->in.consume(skipped);
    line_ends_ += skipped;
    if (line_ends_ > max_line_ends) {
        refusal_ = {400, "malformed", "The head of the request is malformed."};
        return true;
    }
    auto const found = scan_.find(exchange_->in.view(), all_->head_limits);
    if (!found) {
        refusal_ = found.error();
        return true;
    }
    head_size_ = *found;
    return head_size_ > 0;
}

// Waits for a head. False when there will be none.
task<bool> Connection::next_head() {
    auto const& timeouts = all_->settings.timeouts;
    if (!wire_.out.empty()) {
        bool const sent = co_await send({});
        if (!sent) co_return false;
    }
    bool fresh = !exchange_ || exchange_->in.empty();
    if (fresh) {
        auto limit = requests_ == 0 ? timeouts.first_byte : timeouts.idle;
        if (all_->draining()) limit = timeouts.drained;
        wire_.enter(requests_ == 0 ? Phase::first_byte : Phase::idle, limit);
    } else {
        wire_.enter(Phase::head, timeouts.head);
    }
    for (;;) {
        auto const n = co_await read_some();
        if (n == 0) {
            if (wire_.cut_by() == Cut::head)
                refusal_ = {408, "request-timeout", "The request took too long to arrive."};
            co_return refusal_.has_value();
        }
        if (fresh) {
            fresh = false;
            started_ = Clock::now();
            wire_.enter(Phase::head, timeouts.head);
        }
        if (head_at_hand()) co_return true;
    }
}

task<std::size_t> Connection::read_some() {
    for (;;) {
        if (!exchange_) {
            if (cooling_) {
                co_await wire_.wait_readable();
                if (wire_.cut_by() != Cut::no) co_return 0;
                cooling_ = false;
            }
            exchange_ = std::make_unique<Exchange>();
        }
        auto const [to, room] = exchange_->in.prepare(1024);
        auto const n = co_await wire_.receive(to, room);
        exchange_->in.commit(n);
        if (n > 0) cooling_ = false;
        if (n > 0 || !cooling_ || wire_.cut_by() != Cut::no) co_return n;
        exchange_.reset();
        wire_.out.shrink_to_fit();
    }
}

void Connection::identify(Request& request) {
    auto& x = *exchange_;
    std::string_view id, traceparent;
    bool one_traceparent = true;
    x.origin = x.accept_encoding = {};
    for (auto const& [name, value] : request.headers) {
        switch (name.size()) {
            case 6:
                if (ascii_iequals(name, "origin")) x.origin = value;
                break;
            case 11:
                if (!ascii_iequals(name, "traceparent")) break;
                one_traceparent = traceparent.empty();
                traceparent = value;
                break;
            case 12:
                if (ascii_iequals(name, "x-request-id")) id = value;
                break;
            case 15:
                if (!ascii_iequals(name, "accept-encoding")) break;
                if (!x.accept_encoding.empty()) {
                    x.joined_encodings = std::string(x.accept_encoding).append(",").append(value);
                    x.accept_encoding = x.joined_encodings;
                } else {
                    x.accept_encoding = value;
                }
                break;
            default:
                break;
        }
    }
    if (sane_id(id)) {
        request.id = id;
    } else {
        Uuid::v7().write(x.made_id.data());
        request.id = {x.made_id.data(), x.made_id.size()};
    }
    auto const resumed = one_traceparent ? TraceContext::resume(traceparent) : std::nullopt;
    request.trace = resumed ? *resumed : TraceContext::begin();
    request.received = now();
    request.started = started_;
    request.remote = peer_text_;
    request.scheme = "http";
    auto const& proxies = all_->settings.proxies;
    if (!proxies.networks.empty() && proxies.trusts(peer_)) {
        auto const origin = origin_of(proxies, peer_, request);
        x.remote = origin.client.to_string();
        request.remote = x.remote;
        if (!origin.scheme.empty()) request.scheme = origin.scheme;
        if (!origin.host.empty()) request.host = origin.host;
    }
}

}  // namespace buildplan::net
