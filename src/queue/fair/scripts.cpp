#include "queue/fair/scripts.hpp"

#include <stdexcept>

#include "embedded/fair_scripts.hpp"

namespace buildplan::queue::fair {
namespace {

std::string text_of(std::string_view name) {
    for (auto const& file : embedded::fair_scripts()) {
        if (file.name == name) return std::string(file.text);
    }
    throw std::logic_error("no script " + std::string(name));
}

std::string of_index(std::string_view name) { return text_of("lib.lua") + text_of(name); }

}  // namespace

Scripts const& scripts() {
    static Scripts const all{
        .signal = redis::Script(of_index("signal.lua")),
        .turn = redis::Script(of_index("turn.lua")),
        .renew = redis::Script(of_index("renew.lua")),
        .reap = redis::Script(of_index("reap.lua")),
        .due = redis::Script(of_index("due.lua")),
        .admit = redis::Script(of_index("admit.lua")),
        .missing = redis::Script(of_index("missing.lua")),
        .hint = redis::Script(of_index("hint.lua")),
        .standing = redis::Script(of_index("standing.lua")),
        .probe = redis::Script(text_of("probe.lua")),
        .guarantee = redis::Script(of_index("guarantee.lua")),
    };
    return all;
}

}  // namespace buildplan::queue::fair
