#include "net/client/http_url.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "core/text.hpp"
#include "net/client/http_message.hpp"

namespace buildplan::net {
namespace {

constexpr std::size_t longest = 8192;

struct Close {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
    void operator()(char* text) const noexcept { curl_free(text); }
};
using Handle = std::unique_ptr<CURLU, Close>;

[[noreturn]] void refuse(char const* why) { throw HttpError(HttpError::Kind::invalid, why); }

void set(CURLU* url, std::string_view text) {
    if (text.size() > longest) refuse("the URL is too long");
    if (std::ranges::any_of(text, [](unsigned char c) { return c <= 0x20 || c == 0x7f; })) {
        refuse("the URL has spaces or control characters");
    }
    switch (
        curl_url_set(url, CURLUPART_URL, std::string(text).c_str(), CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME)) {
        case CURLUE_OK:
            return;
        case CURLUE_USER_NOT_ALLOWED:
            refuse("the URL has a user or a password in it");
        default:
            refuse("this is not an absolute URL");
    }
}

std::string get(CURLU* url, CURLUPart part, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
    std::unique_ptr<char, Close> const owned(text);
    return owned.get();
}

HttpUrl take_apart(CURLU* url) {
    HttpUrl made;
    made.scheme = get(url, CURLUPART_SCHEME);
    if (made.scheme != "http" && made.scheme != "https") refuse("only http and https URLs can be called");
    made.host = ascii_lower(get(url, CURLUPART_HOST));
    if (made.host.empty()) refuse("the URL has no host");
    if (made.host.front() == '[') {
        if (!get(url, CURLUPART_ZONEID).empty()) refuse("the URL has an address with a zone");
        made.host = made.host.substr(1, made.host.size() - 2);
    }
    auto const port = get(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    if (port.empty() || port == "0") refuse("the URL has no usable port");
    made.origin = get(url, CURLUPART_SCHEME) + "://" + ascii_lower(get(url, CURLUPART_HOST)) + ":" + port;
    curl_url_set(url, CURLUPART_FRAGMENT, nullptr, 0);
    made.text = get(url, CURLUPART_URL);
    return made;
}

}  // namespace

HttpUrl HttpUrl::parse(std::string_view text) {
    Handle const url(curl_url());
    if (!url) throw std::bad_alloc();
    set(url.get(), text);
    return take_apart(url.get());
}

HttpUrl HttpUrl::resolve(std::string_view location) const {
    Handle const url(curl_url());
    if (!url) throw std::bad_alloc();
    set(url.get(), text);
    set(url.get(), location);
    return take_apart(url.get());
}

}  // namespace buildplan::net
