#include "api/docs/markup.hpp"

namespace buildplan::api::docs {
namespace {

std::string block(std::string_view text) {
    if (!text.starts_with("- ")) return "<p>" + with_code(text) + "</p>";
    std::string out = "<ul>";
    while (!text.empty()) {
        auto const end = text.find('\n');
        auto line = text.substr(0, end);
        if (line.starts_with("- ")) line.remove_prefix(2);
        out += "<li>" + with_code(line) + "</li>";
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return out + "</ul>";
}

}  // namespace

std::string with_code(std::string_view text) {
    std::string out;
    bool open = false;
    for (std::size_t at = 0; at <= text.size();) {
        auto const tick = text.find('`', at);
        out += escape(text.substr(at, tick - at));
        if (tick == std::string_view::npos) break;
        out += open ? "</code>" : "<code>";
        open = !open;
        at = tick + 1;
    }
    if (open) out += "</code>";
    return out;
}

std::string escape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (char const c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string rich(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        auto const end = text.find("\n\n");
        auto const paragraph = text.substr(0, end);
        if (!paragraph.empty()) out += block(paragraph);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 2);
    }
    return out;
}

std::string anchor(std::string_view text) {
    std::string out;
    for (char const c : text) {
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            out += c;
        } else if (c >= 'A' && c <= 'Z') {
            out += static_cast<char>(c - 'A' + 'a');
        } else if (!out.empty() && out.back() != '-') {
            out += '-';
        }
    }
    return out;
}

}  // namespace buildplan::api::docs
