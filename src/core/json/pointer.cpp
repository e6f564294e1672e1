#include "core/json/pointer.hpp"

namespace buildplan::json {
namespace {

void append_path(std::string& out, Path const* path) {
    if (path == nullptr) return;
    append_path(out, path->parent);
    if (path->is_index) {
        append_token(out, std::to_string(path->index));
    } else {
        append_token(out, path->key);
    }
}

}  // namespace

void append_token(std::string& pointer, std::string_view token) {
    pointer += '/';
    for (char const c : token) {
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else {
            pointer += c;
        }
    }
}

std::string to_pointer(std::string_view prefix, Path const* path) {
    std::string out{prefix};
    append_path(out, path);
    return out;
}

}  // namespace buildplan::json
