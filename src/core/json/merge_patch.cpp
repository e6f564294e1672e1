#include "core/json/merge_patch.hpp"

namespace buildplan::json {

void merge_patch(boost::json::value& target, boost::json::value const& patch) {
    if (!patch.is_object()) {
        target = patch;
        return;
    }
    if (!target.is_object()) target.emplace_object();
    auto& object = target.get_object();
    for (auto const& [name, value] : patch.get_object()) {
        if (value.is_null()) {
            object.erase(name);
        } else {
            merge_patch(object[name], value);
        }
    }
}

}  // namespace buildplan::json
