#include "core/slug.hpp"

namespace buildplan {

std::string slug_from(std::string_view name, std::size_t longest) {
    std::string slug;
    for (char const c : name) {
        if (slug.size() == longest) break;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            slug += c;
        } else if (c >= 'A' && c <= 'Z') {
            slug += static_cast<char>(c - 'A' + 'a');
        } else if (!slug.empty() && slug.back() != '-') {
            slug += '-';
        }
    }
    while (slug.ends_with('-')) slug.pop_back();
    return slug;
}

}  // namespace buildplan
