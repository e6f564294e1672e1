#include "net/plain_problem.hpp"

#include "core/problem.hpp"
#include "core/text.hpp"

namespace buildplan::net {

std::string plain_problem(int status, std::string_view code, std::string_view detail, std::string_view id) {
    std::string json = R"({"type":"about:blank","title":)";
    append_json_string(json, status_phrase(status));
    json += ",\"status\":";
    json += std::to_string(status);
    json += ",\"detail\":";
    append_json_string(json, detail);
    json += ",\"code\":";
    append_json_string(json, code);
    if (!id.empty()) {
        json += ",\"requestId\":";
        append_json_string(json, id);
    }
    json += '}';
    return json;
}

}  // namespace buildplan::net
