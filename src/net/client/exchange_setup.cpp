// The libcurl side of an exchange: its options, and the callbacks that lead back to it.
#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <stdexcept>

#include "net/client/exchange.hpp"

namespace buildplan::net {
namespace {

template <class Value>
void set(void* easy, CURLoption option, Value value) {
    if (auto const code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
        throw std::runtime_error(
            fmt::format("libcurl option {}: {}", static_cast<int>(option), curl_easy_strerror(code)));
    }
}

long milliseconds(HttpTimeouts::Duration duration) {
    return std::max(1L, static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(duration).count()));
}

std::optional<Address> from_sockaddr(int family, void const* address) {
    Address made;
    if (family == AF_INET) {
        made.bytes[10] = made.bytes[11] = 0xff;
        std::memcpy(made.bytes.data() + 12, &static_cast<sockaddr_in const*>(address)->sin_addr, 4);
    } else if (family == AF_INET6) {
        std::memcpy(made.bytes.data(), &static_cast<sockaddr_in6 const*>(address)->sin6_addr, 16);
    } else {
        return {};
    }
    return made;
}

}  // namespace

// An exception must not cross libcurl, which is C: what cannot be helped there (no memory) ends the program.
struct Exchange::Callbacks {
    static std::size_t header(char* bytes, std::size_t size, std::size_t count, void* self) noexcept {
        return static_cast<Exchange*>(self)->take_header({bytes, size * count});
    }
    static std::size_t body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept {
        return static_cast<Exchange*>(self)->take_body({bytes, size * count});
    }
    static std::size_t source(char* to, std::size_t size, std::size_t count, void* self) noexcept {
        return static_cast<Exchange*>(self)->give_body(to, size * count);
    }
    static int progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t uploaded) noexcept {
        auto& exchange = *static_cast<Exchange*>(self);
        if (uploaded != exchange.uploaded_) exchange.touch();
        exchange.uploaded_ = uploaded;
        return 0;
    }
    static curl_socket_t open(void* self, curlsocktype, curl_sockaddr* address) noexcept {
        return static_cast<Exchange*>(self)->open_socket(address->family, address->socktype, address->protocol,
                                                         &address->addr);
    }
    static int connected(void* self, char* address, char*, int, int) noexcept {
        return static_cast<Exchange*>(self)->connected(address) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
    }
};

void Exchange::Free::operator()(void* easy) const noexcept { curl_easy_cleanup(easy); }
void Exchange::FreeList::operator()(void* list) const noexcept { curl_slist_free_all(static_cast<curl_slist*>(list)); }

// Each address of a host passes by here before a connection to it is tried.
int Exchange::open_socket(int family, int type, int protocol, void const* address) noexcept {
    auto const to = from_sockaddr(family, address);
    if (!to || !may_reach(order_.request.options.reach, trust_.allowed, order_.url.host, *to)) {
        refused_ = true;
        return CURL_SOCKET_BAD;
    }
    tried_ = true;
    return ::socket(family, type | SOCK_CLOEXEC, protocol);
}

// The connection stands and the request is about to go out. The connection may be a kept one, that a request of wider
// reach has opened, so its address is looked at once more. A second time means that a kept connection was dead and
// libcurl starts again on a new one: the first may have brought the request through.
bool Exchange::connected(char const* address) noexcept {
    auto const to = Address::parse(address);
    if (!to || !may_reach(order_.request.options.reach, trust_.allowed, order_.url.host, *to)) {
        refused_ = true;
        tried_ = false;
        return false;
    }
    if (connected_ && !order_.repeatable) {
        repeated_ = true;
        return false;
    }
    connected_ = true;
    touch();
    alarm_.ring();  // other patience from here on
    return true;
}

void Exchange::set_up() {
    auto* const easy = easy_.get();
    auto const& options = order_.request.options;
    set(easy, CURLOPT_URL, order_.url.text.c_str());
    set(easy, CURLOPT_ERRORBUFFER, message_.data());
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_QUICK_EXIT, 1L);  // else ending a transfer blocks until its name look-up is through

    // Nothing of the environment, nothing remembered, nothing but HTTP.
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_PROXY, "");
    set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    // One file and no folder of certificates: a folder's would be trusted beside the operator's file, and with a folder
    // libcurl reads everything again for each connection (17 ms in which the loop does nothing else, against 1 ms).
    if (!trust_.ca_file.empty()) set(easy, CURLOPT_CAINFO, trust_.ca_file.c_str());
    if (!trust_.ca_file.empty() || curl_version_info(CURLVERSION_NOW)->cainfo) {
        set(easy, CURLOPT_CAPATH, static_cast<char const*>(nullptr));
    }

    set(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options.timeouts.connect));
    set(easy, CURLOPT_MAXAGE_CONN, 60L);
    set(easy, CURLOPT_MAXLIFETIME_CONN, 300L);
    set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    // A stream that waits for its reader would hold up all others of its HTTP/2 connection.
    bool const http2 = options.http2 && !order_.streamed && !order_.with_source;
    set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    if (http2) set(easy, CURLOPT_PIPEWAIT, 1L);
    // libcurl would have to keep what it has decoded while the reader makes it wait.
    if (options.gzip && !order_.streamed) set(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    if (order_.method != "HEAD" && !order_.streamed) {
        set(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(options.max_response));
    }

    set(easy, CURLOPT_HEADERFUNCTION, &Callbacks::header);
    set(easy, CURLOPT_HEADERDATA, this);
    set(easy, CURLOPT_WRITEFUNCTION, &Callbacks::body);
    set(easy, CURLOPT_WRITEDATA, this);
    set(easy, CURLOPT_XFERINFOFUNCTION, &Callbacks::progress);
    set(easy, CURLOPT_XFERINFODATA, this);
    set(easy, CURLOPT_NOPROGRESS, 0L);
    set(easy, CURLOPT_OPENSOCKETFUNCTION, &Callbacks::open);
    set(easy, CURLOPT_OPENSOCKETDATA, this);
    set(easy, CURLOPT_PREREQFUNCTION, &Callbacks::connected);
    set(easy, CURLOPT_PREREQDATA, this);
    set_up_method();
    set_up_headers();
}

void Exchange::set_up_method() {
    auto* const easy = easy_.get();
    auto const method = order_.method;
    if (order_.with_source) {
        set(easy, CURLOPT_UPLOAD, 1L);
        set(easy, CURLOPT_READFUNCTION, &Callbacks::source);
        set(easy, CURLOPT_READDATA, this);
        auto const size = order_.request.source_size;
        set(easy, CURLOPT_INFILESIZE_LARGE, size ? static_cast<curl_off_t>(*size) : curl_off_t{-1});
    } else if (method == "HEAD") {
        set(easy, CURLOPT_NOBODY, 1L);
    } else if (!order_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
        set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(order_.body.size()));
        // Not copied; nullptr would mean standard input.
        set(easy, CURLOPT_POSTFIELDS, order_.body.empty() ? "" : &order_.body.front());
    }
    if (method != "HEAD") set(easy, CURLOPT_CUSTOMREQUEST, std::string(method).c_str());
    if (auto const& aws = order_.request.options.aws; aws && order_.sign) {
        set(easy, CURLOPT_AWS_SIGV4, aws->scope.c_str());
        set(easy, CURLOPT_USERNAME, aws->access_key.c_str());
        set(easy, CURLOPT_PASSWORD, aws->secret_key.c_str());
    }
}

void Exchange::set_up_headers() {
    auto const append = [this](std::string const& line) {
        auto* const list = static_cast<curl_slist*>(header_list_.release());
        auto* const longer = curl_slist_append(list, line.c_str());
        header_list_.reset(longer ? longer : list);
        if (!longer) throw std::bad_alloc();
    };
    append("Expect:");  // libcurl's own would wait a second for a 100 that few servers send
    if (!find_header(order_.headers, "content-type")) append("Content-Type:");
    if (!find_header(order_.headers, "user-agent") && !trust_.user_agent.empty())
        append("User-Agent: " + trust_.user_agent);
    for (auto const& [name, value] : order_.headers) {
        // A name with nothing after the colon would take a header away.
        append(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
    }
    if (!order_.request.traceparent.empty()) append("traceparent: " + order_.request.traceparent);
    set(easy_.get(), CURLOPT_HTTPHEADER, static_cast<curl_slist*>(header_list_.get()));
}

}  // namespace buildplan::net
