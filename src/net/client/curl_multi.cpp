#include "net/client/curl_multi.hpp"

#include <curl/curl.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <new>
#include <stdexcept>

namespace buildplan::net {

struct CurlMulti::Tie {
    CurlMulti* multi;
};

// One socket of libcurl's. A new socket with the same number gets a new Watch, so that a late event of the old one,
// which holds the old Watch, cannot be taken for the new one's.
struct CurlMulti::Watch {
    Watch(Executor const& executor, int socket_) : socket(socket_), descriptor(executor, socket_) {}
    int socket;
    asio::posix::basic_stream_descriptor<Executor> descriptor;
    int wanted = 0;   // CURL_POLL_IN, CURL_POLL_OUT
    int waiting = 0;  // for which of them the loop has been asked
};

CurlMulti::CurlMulti(Executor const& executor, std::size_t connections)
    : executor_(executor), timer_(executor), tie_(std::make_shared<Tie>(this)) {
    // Once for the process, by whichever loop comes first. Never undone: a name look-up that nobody waits for any more
    // may outlive everything else here.
    static CURLcode const ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (ready != CURLE_OK) throw std::runtime_error("libcurl does not start");
    multi_ = curl_multi_init();
    if (!multi_) throw std::bad_alloc();
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(connections));
}

CurlMulti::~CurlMulti() {
    curl_multi_cleanup(multi_);
    for (auto& [socket, watch] : watches_) watch->descriptor.release();
    tie_->multi = nullptr;
}

void CurlMulti::add(void* easy, CurlTransfer& transfer) {
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    if (auto const code = curl_multi_add_handle(multi_, easy); code != CURLM_OK)
        throw std::runtime_error(curl_multi_strerror(code));
}

void CurlMulti::remove(void* easy) noexcept { curl_multi_remove_handle(multi_, easy); }

int CurlMulti::on_socket(void*, int socket, int what, void* self, void*) noexcept {
    static_cast<CurlMulti*>(self)->watch(socket, what);
    return 0;
}

int CurlMulti::on_timer(void*, long milliseconds, void* self) noexcept {
    auto& multi = *static_cast<CurlMulti*>(self);
    if (milliseconds < 0) {
        multi.timer_.cancel();
        return 0;
    }
    multi.timer_.expires_after(std::chrono::milliseconds{milliseconds});
    multi.timer_.async_wait([tie = multi.tie_](boost::system::error_code error) {
        if (!error && tie->multi) tie->multi->act(CURL_SOCKET_TIMEOUT, 0);
    });
    return 0;
}

void CurlMulti::watch(int socket, int what) {
    if (what == CURL_POLL_REMOVE) {
        auto const node = watches_.extract(socket);
        if (node.empty()) return;
        node.mapped()->wanted = 0;
        node.mapped()->descriptor.release();
        return;
    }
    auto& known = watches_[socket];
    if (!known) known = std::make_shared<Watch>(executor_, socket);
    known->wanted = what;
    if (what & CURL_POLL_IN) wait(known, CURL_POLL_IN);
    if (what & CURL_POLL_OUT) wait(known, CURL_POLL_OUT);
}

void CurlMulti::wait(std::shared_ptr<Watch> const& watch, int what) {
    if (watch->waiting & what) return;
    watch->waiting |= what;
    auto const type =
        what == CURL_POLL_IN ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
    watch->descriptor.async_wait(type, [tie = tie_, watch, what](boost::system::error_code error) {
        watch->waiting &= ~what;
        // libcurl may have lost interest, or the socket, since.
        if (!tie->multi || !(watch->wanted & what)) return;
        int const event = what == CURL_POLL_IN ? CURL_CSELECT_IN : CURL_CSELECT_OUT;
        tie->multi->act(watch->socket, error ? CURL_CSELECT_ERR : event);
        if (tie->multi && (watch->wanted & what)) tie->multi->wait(watch, what);
    });
}

void CurlMulti::act(int socket, int events) {
    int running = 0;
    curl_multi_socket_action(multi_, socket, events, &running);
    int left = 0;
    while (auto const* const message = curl_multi_info_read(multi_, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        auto* const easy = message->easy_handle;
        auto const code = message->data.result;  // the message does not survive the handle's removal
        CurlTransfer* transfer = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
        curl_multi_remove_handle(multi_, easy);
        transfer->ended(code);
    }
}

}  // namespace buildplan::net
