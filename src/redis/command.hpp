// Command: one command with its arguments, already encoded, binary safe.
//
//     Command("SET", key, value, "PX", 300'000).within(50ms)
//
// Scripts make theirs with Script::call. In a cluster the command goes to the node of its key, which is the argument
// that Redis's own command table names for the commands we use (the first, for most).
#pragma once

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace buildplan::redis {

class Script;

class Command {
public:
    template <class... Args>
    explicit Command(std::string_view name, Args const&... args) {
        begin(name);
        (arg(args), ...);
    }

    Command& arg(std::string_view text);
    template <std::integral I>
        requires(!std::same_as<I, bool> && !std::same_as<I, char>)
    Command& arg(I number) {
        char digits[24];
        auto const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        return arg(std::string_view(digits, static_cast<std::size_t>(end - digits)));
    }
    Command& arg(double number);
    // Every element, in order.
    template <class Range>
    Command& args(Range const& range) {
        for (auto const& each : range) arg(each);
        return *this;
    }

    // How long the caller waits, instead of the client's own timeout.
    Command& within(std::chrono::milliseconds patience) & {
        patience_ = patience;
        return *this;
    }
    Command&& within(std::chrono::milliseconds patience) && { return std::move(within(patience)); }
    // May be carried out twice without harm: sent again, within its time, when the connection is lost under it.
    Command& idempotent() & {
        idempotent_ = true;
        return *this;
    }
    Command&& idempotent() && { return std::move(idempotent()); }

    // What the cluster hashes; nothing for a command that any node can answer.
    [[nodiscard]] bool has_key() const noexcept { return key_at_ != 0; }
    [[nodiscard]] std::string_view key() const noexcept { return std::string_view(body_).substr(key_at_, key_size_); }
    [[nodiscard]] std::string_view name() const noexcept;
    [[nodiscard]] std::chrono::milliseconds patience() const noexcept { return patience_; }  // 0: not set
    [[nodiscard]] bool is_idempotent() const noexcept { return idempotent_; }
    [[nodiscard]] Script const* script() const noexcept { return script_; }

    // Appends it as RESP. A script's call is EVALSHA, or EVAL with the source where `with_source`.
    void encode(std::string& out, bool with_source = false) const;
    [[nodiscard]] std::size_t encoded_size() const noexcept { return body_.size() + 128; }  // at most, without source

private:
    friend class Script;
    explicit Command(Script const& script) : script_(&script) {}
    void begin(std::string_view name);
    void append(std::string_view text);

    std::string body_;  // every argument as a bulk string, without the header and without EVALSHA and its hash
    std::uint32_t count_ = 0;
    std::uint32_t key_at_ = 0, key_size_ = 0;
    std::uint32_t key_argument_ = 1;  // 0: it has none
    bool key_after_streams_ = false;
    bool idempotent_ = false;
    std::chrono::milliseconds patience_{0};
    Script const* script_ = nullptr;
};

}  // namespace buildplan::redis
