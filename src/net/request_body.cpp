#include "net/request_body.hpp"

#include <boost/system/system_error.hpp>

#include "core/problem.hpp"

namespace buildplan::net {
namespace {

constexpr std::size_t piece_size = 16u << 10;

Problem too_large() { return {413, "body-too-large", "The body of the request is too large."}; }
Problem too_slow() { return {408, "request-timeout", "The request took too long to arrive."}; }

}  // namespace

RequestBody::RequestBody(Wire& wire, Buffer& input, std::size_t head_size, Framing const& framing,
                         Timeouts const& timeouts)
    : wire_(wire),
      input_(input),
      framing_(framing),
      timeouts_(timeouts),
      at_(head_size),
      finished_(empty()),
      // Who sends the body without waiting needs no invitation (RFC 9110 section 10.1.1).
      must_invite_(framing.expects_continue && !empty() && input.size() == head_size) {}

std::optional<std::string_view> RequestBody::at_hand() noexcept {
    if (framing_.chunked || own_) return std::nullopt;
    auto const behind = input_.view().substr(at_);
    if (behind.size() < framing_.content_length) return std::nullopt;
    received_ = framing_.content_length;
    at_ += static_cast<std::size_t>(received_);
    finished_ = true;
    return behind.substr(0, static_cast<std::size_t>(received_));
}

task<std::string_view> RequestBody::whole(std::string& storage) {
    if (framing_.chunked) {
        for (;;) {
            auto const piece = co_await read();
            if (piece.empty()) co_return storage;
            storage += piece;
        }
    }
    auto const length = static_cast<std::size_t>(framing_.content_length);
    storage = input_.view().substr(at_);
    input_.truncate(at_);
    received_ = storage.size();
    while (storage.size() < length) {
        // Memory is taken as bytes arrive, not as they are announced.
        auto const before = storage.size();
        auto const room = std::min(length - before, std::max(piece_size, before));
        storage.resize_and_overwrite(before + room, [](char*, std::size_t n) { return n; });
        auto const got = co_await receive(storage.data() + before, room);
        storage.resize(before + got);
    }
    received_ = storage.size();
    finished_ = true;
    co_return storage;
}

task<std::string_view> RequestBody::read() {
    if (finished_) co_return std::string_view{};
    take_over();
    own_->consume(std::exchange(used_, 0));
    if (framing_.chunked) co_return co_await next_chunk();
    auto const left = framing_.content_length - received_;
    if (left == 0) {
        finished_ = true;
        co_return std::string_view{};
    }
    if (own_->empty()) co_await fill(*own_);
    auto const piece = own_->view().substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, own_->size())));
    received_ += piece.size();
    used_ = piece.size();
    co_return piece;
}

task<std::string_view> RequestBody::next_chunk() {
    if (!decoder_) decoder_.emplace();
    for (;;) {
        auto const step = decoder_->step(own_->view());
        switch (step.state) {
            case ChunkedDecoder::State::bad:
                throw problems::malformed("The chunks of the body are malformed.");
            case ChunkedDecoder::State::end:
                own_->consume(step.consumed);
                finished_ = true;
                co_return std::string_view{};
            case ChunkedDecoder::State::piece:
                received_ += step.piece.size();
                if (received_ > limit_) throw too_large();
                used_ = step.consumed;
                co_return step.piece;
            case ChunkedDecoder::State::more:
                own_->consume(step.consumed);
                co_await fill(*own_);
        }
    }
}

void RequestBody::take_over() {
    if (own_) return;
    own_.emplace();
    own_->prepare(piece_size);
    own_->append(input_.view().substr(at_));
    input_.truncate(at_);
}

task<> RequestBody::fill(Buffer& into) {
    auto const [to, room] = into.prepare(1024);
    into.commit(co_await receive(to, room));
}

task<std::size_t> RequestBody::receive(char* to, std::size_t room) {
    if (std::exchange(must_invite_, false)) wire_.out += "HTTP/1.1 100 Continue\r\n\r\n";
    auto const phase = wire_.phase();
    bool sent = true;
    std::size_t got = 0;
    if (!wire_.out.empty()) sent = co_await wire_.flush({}, timeouts_.write_progress);
    if (sent) {
        wire_.enter(Phase::body, timeouts_.body_progress);
        got = co_await wire_.receive(to, room);
    }
    if (got == 0) {
        stalled_ = true;
        if (wire_.cut_by() == Cut::body || wire_.cut_by() == Cut::total) throw too_slow();
        broken_ = true;
        throw boost::system::system_error(asio::error::eof);
    }
    wire_.enter(phase, Clock::duration::zero());
    co_return got;
}

bool RequestBody::worth_discarding(std::size_t at_most) const noexcept {
    // A client that was not invited may or may not send its body: nothing behind the head means anything then.
    return !must_invite_ && !stalled_ && !framing_.chunked && framing_.content_length - received_ <= at_most;
}

task<bool> RequestBody::discard() {
    limit_ = static_cast<std::size_t>(framing_.content_length);
    try {
        for (;;) {
            auto const piece = co_await read();
            if (piece.empty()) co_return true;
        }
    } catch (Problem const&) {
        co_return false;
    } catch (boost::system::system_error const&) {
        co_return false;
    }
}

void RequestBody::release() {
    input_.consume(at_);
    if (!own_) return;
    own_->consume(std::exchange(used_, 0));
    input_.append(own_->view());
}

bool RequestBody::more_behind() const noexcept {
    if (!finished_) return false;
    return own_ ? own_->size() > used_ : input_.size() > at_;
}

}  // namespace buildplan::net
