// The half of decode() that reads values without others inside: what fits goes to its place, what does not becomes a
// complaint.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/json/pointer.hpp"
#include "core/json/type.hpp"
#include "core/problem.hpp"

namespace buildplan::json {

// What is wrong with a document, up to a number of things.
class Complaints {
public:
    Complaints(std::string_view prefix, std::size_t most) : prefix_(prefix), most_(most) {}

    // Nothing more is taken: whoever reads may stop.
    [[nodiscard]] bool full() const noexcept { return errors_.size() >= most_; }
    void add(std::string_view code, std::string detail, Path const* at);
    // `wanted` with its article: "a string".
    void wrong_type(boost::json::value const& value, std::string_view wanted, Path const* at);
    // Throws problems::invalid if there is anything.
    void raise();

private:
    std::string_view prefix_;
    std::size_t most_;
    std::vector<FieldError> errors_;
};

// Boolean, integer, number, string, uuid, timestamp, enumeration; nothing happens for the other kinds.
void read_scalar(boost::json::value const& value, Type const& type, Rule const& rule, void* out, Path const* at,
                 Complaints& complaints);

}  // namespace buildplan::json
