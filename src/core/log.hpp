// The program's log: one JSON object a line, a constant message and fields. A caller formats its line on its own thread
// and hands it to a writer thread, so that a slow terminal or disk never holds up a shard; what does not fit into the
// bounded buffer is dropped, counted, and the count is logged. Secrets are never given to it.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/uuid.hpp"

namespace buildplan {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { json, text };

std::optional<LogLevel> parse_log_level(std::string_view text) noexcept;

// A named value of a log line; it only borrows what it points at.
class LogField {
public:
    enum class Kind : std::uint8_t { text, integer, number, boolean };

    LogField(std::string_view name_, std::string_view value) : name(name_), kind(Kind::text), text(value) {}
    LogField(std::string_view name_, std::string const& value) : LogField(name_, std::string_view(value)) {}
    LogField(std::string_view name_, char const* value) : LogField(name_, std::string_view(value)) {}
    LogField(std::string_view name_, std::same_as<bool> auto value)
        : name(name_), kind(Kind::boolean), integer(value ? 1 : 0) {}
    template <std::integral I>
        requires(!std::same_as<I, bool>)
    LogField(std::string_view name_, I value)
        : name(name_), kind(Kind::integer), integer(static_cast<std::int64_t>(value)) {}
    template <std::floating_point F>
    LogField(std::string_view name_, F value) : name(name_), kind(Kind::number), number(static_cast<double>(value)) {}

    std::string_view name;
    Kind kind;
    std::string_view text;
    std::int64_t integer = 0;
    double number = 0;
};

// Where lines go. One for the process; everything that logs holds a `Log`, below.
class LogSink {
public:
    // Writes to a file descriptor that it does not own. Starts the writer thread.
    LogSink(int fd, LogFormat format, LogLevel at_least);
    ~LogSink();  // writes what is left
    LogSink(LogSink const&) = delete;
    LogSink& operator=(LogSink const&) = delete;

    [[nodiscard]] bool wants(LogLevel level) const noexcept { return level >= at_least_; }
    [[nodiscard]] LogFormat format() const noexcept { return format_; }
    void write(std::string_view line) noexcept;  // one whole line, with its newline
    void flush() noexcept;                       // returns when all written before is out

private:
    struct Writer;
    std::unique_ptr<Writer> writer_;
    LogFormat format_;
    LogLevel at_least_;
};

// A sink with the context that every line of it carries, e.g. the request's id. Cheap to copy.
class Log {
public:
    Log() = default;  // says nothing
    explicit Log(LogSink& sink) : sink_(&sink) {}

    // A log with further fields on each line.
    [[nodiscard]] Log with(std::initializer_list<LogField> fields) const;

    void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const {
        put(LogLevel::debug, message, fields);
    }
    void info(std::string_view message, std::initializer_list<LogField> fields = {}) const {
        put(LogLevel::info, message, fields);
    }
    void warning(std::string_view message, std::initializer_list<LogField> fields = {}) const {
        put(LogLevel::warning, message, fields);
    }
    void error(std::string_view message, std::initializer_list<LogField> fields = {}) const {
        put(LogLevel::error, message, fields);
    }
    [[nodiscard]] bool wants(LogLevel level) const noexcept { return sink_ && sink_->wants(level); }

private:
    void put(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const;

    LogSink* sink_ = nullptr;
    std::string context_;  // fields, already written in the sink's format
};

}  // namespace buildplan
