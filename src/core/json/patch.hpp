// A member of a JSON Merge Patch (RFC 7396): left out (leave it alone), null (remove it) or a value (set it).
#pragma once

#include <optional>
#include <utility>

namespace buildplan::json {

template <class T>
class Patch {
public:
    using value_type = T;

    Patch() = default;
    Patch(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor): a value is a patch

    static Patch null() {
        Patch patch;
        patch.null_ = true;
        return patch;
    }

    [[nodiscard]] bool is_absent() const noexcept { return !null_ && !value_; }
    [[nodiscard]] bool is_null() const noexcept { return null_; }
    [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
    // Only where has_value().
    [[nodiscard]] T const& value() const { return value_.value(); }

    void set_null() noexcept {
        value_.reset();
        null_ = true;
    }
    T& emplace() {
        null_ = false;
        return value_.emplace();
    }

    // Merges into what is there.
    void apply_to(std::optional<T>& target) const {
        if (!is_absent()) target = value_;
    }
    // For what cannot be removed; its field says `not_null()`.
    void apply_to(T& target) const {
        if (value_) target = *value_;
    }

    friend bool operator==(Patch const&, Patch const&) = default;

private:
    std::optional<T> value_;
    bool null_ = false;
};

}  // namespace buildplan::json
