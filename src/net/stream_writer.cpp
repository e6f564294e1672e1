#include "net/stream_writer.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <charconv>

namespace buildplan::net {
namespace {

constexpr std::size_t copied_piece = 16u << 10;  // larger ones go to the kernel from where they are
constexpr std::size_t at_once = 256u << 10;

}  // namespace

task<> StreamWriter::write(std::string_view piece) {
    if (piece.empty()) co_return;
    auto const before = wire_.out.size();
    if (chunked_) {
        char size[16];
        auto* const end = std::to_chars(size, size + sizeof size, piece.size(), 16).ptr;
        wire_.out.append(size, end);
        wire_.out += "\r\n";
    }
    bool const small = piece.size() <= copied_piece;
    if (small) {
        wire_.out += piece;
        if (chunked_) wire_.out += "\r\n";
    }
    sent_ += wire_.out.size() - before + (small ? 0 : piece.size());
    bool sent = co_await wire_.flush(small ? std::string_view{} : piece, progress_);
    if (sent && chunked_ && !small) {
        wire_.out += "\r\n";
        sent_ += 2;
        sent = co_await wire_.flush({}, progress_);
    }
    wire_.enter(Phase::handler, Clock::duration::zero());
    if (!sent) {
        bool const stalled = wire_.cut_by() == Cut::write;
        throw boost::system::system_error(stalled ? asio::error::timed_out : asio::error::broken_pipe);
    }
    at_once_ += piece.size();
    if (at_once_ >= at_once) {
        // A client that takes all we give must not keep the loop from everybody else.
        at_once_ = 0;
        auto const executor = co_await asio::this_coro::executor;
        co_await asio::post(executor, use_task);
    }
}

}  // namespace buildplan::net
