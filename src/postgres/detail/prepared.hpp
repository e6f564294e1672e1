// Which statements a connection has prepared. A statement that could not be prepared is remembered with its error,
// since uses of it may already be on their way and will be answered with "does not exist"; it is tried again at its
// next use.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <unordered_map>

namespace buildplan::postgres::detail {

class PreparedStatements {
public:
    // Whether it must be sent now, before this use. From then on it counts as prepared.
    [[nodiscard]] bool wanted(std::string_view name) {
        auto& entry = entries_[name];
        if (entry.sent) return false;
        entry.sent = true;
        return true;
    }
    struct Failure {
        std::string sqlstate;
        std::exception_ptr error;
    };
    void failed(std::string_view name, Failure failure) { entries_[name] = {false, std::move(failure)}; }
    // Without an error where there is nothing to tell.
    [[nodiscard]] Failure why(std::string_view name) const {
        auto const found = entries_.find(name);
        return found != entries_.end() ? found->second.failure : Failure{};
    }

private:
    struct Entry {
        bool sent = false;
        Failure failure;
    };
    std::unordered_map<std::string_view, Entry> entries_;  // names are constants of the program
};

}  // namespace buildplan::postgres::detail
