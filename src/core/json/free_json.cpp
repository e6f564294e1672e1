#include "core/json/free_json.hpp"

#include <cmath>
#include <string_view>

#include "core/json/utf8.hpp"

namespace buildplan::json {
namespace {

class Check {
public:
    explicit Check(std::size_t most_bytes) : bytes_left_(most_bytes) {}

    FreeJson look(boost::json::value const& value, std::size_t depth_left) noexcept {
        switch (value.kind()) {
            case boost::json::kind::null:
            case boost::json::kind::bool_:
                return take(4);
            case boost::json::kind::int64:
            case boost::json::kind::uint64:
                return take(1);
            case boost::json::kind::double_:
                return std::isfinite(value.get_double()) ? take(1) : FreeJson::bad_number;
            case boost::json::kind::string:
                return look_text({value.get_string().data(), value.get_string().size()});
            case boost::json::kind::array:
            case boost::json::kind::object:
                break;
        }
        if (depth_left == 0) return FreeJson::too_deep;
        auto worst = take(2);
        if (auto const* array = value.if_array()) {
            for (auto const& element : *array) {
                if (worst != FreeJson::fits) return worst;
                worst = look(element, depth_left - 1);
                if (worst == FreeJson::fits) worst = take(1);
            }
            return worst;
        }
        for (auto const& pair : value.get_object()) {
            if (worst != FreeJson::fits) return worst;
            worst = look_text({pair.key().data(), pair.key().size()});
            if (worst == FreeJson::fits) worst = look(pair.value(), depth_left - 1);
            if (worst == FreeJson::fits) worst = take(2);
        }
        return worst;
    }

private:
    FreeJson take(std::size_t bytes) noexcept {
        if (bytes > bytes_left_) return FreeJson::too_long;
        bytes_left_ -= bytes;
        return FreeJson::fits;
    }

    FreeJson look_text(std::string_view text) noexcept {
        if (text.size() + 2 > bytes_left_) return FreeJson::too_long;
        if (text.find('\0') != std::string_view::npos || !utf8::code_points(text)) return FreeJson::bad_text;
        return take(text.size() + 2);
    }

    std::size_t bytes_left_;
};

}  // namespace

FreeJson check_free_json(boost::json::value const& value, std::size_t most_bytes, std::size_t depth) noexcept {
    return Check{most_bytes}.look(value, depth);
}

}  // namespace buildplan::json
