#include "core/log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/text.hpp"
#include "core/time.hpp"

namespace buildplan {
namespace {

constexpr std::size_t max_buffered = 8u << 20;
constexpr std::size_t max_text = 4096;  // of one field

constexpr std::string_view names[] = {"debug", "info", "warning", "error"};

void append_value(std::string& out, LogField const& field, LogFormat format) {
    switch (field.kind) {
        case LogField::Kind::integer:
            fmt::format_to(std::back_inserter(out), "{}", field.integer);
            break;
        case LogField::Kind::boolean:
            out += field.integer ? "true" : "false";
            break;
        case LogField::Kind::number:
            if (std::isfinite(field.number)) {
                fmt::format_to(std::back_inserter(out), "{:.6g}", field.number);
            } else {
                out += "null";
            }
            break;
        case LogField::Kind::text: {
            auto const text = field.text.substr(0, max_text);
            if (format == LogFormat::json || text.find_first_of(" \t\n\"=") != std::string_view::npos) {
                append_json_string(out, text);
            } else {
                out += text;
            }
        }
    }
}

void append_fields(std::string& out, std::initializer_list<LogField> fields, LogFormat format) {
    for (auto const& field : fields) {
        if (format == LogFormat::json) {
            out += ",\"";
            out += field.name;
            out += "\":";
        } else {
            out += ' ';
            out += field.name;
            out += '=';
        }
        append_value(out, field, format);
    }
}

bool write_all(int fd, std::string_view text) noexcept {
    while (!text.empty()) {
        auto const n = ::write(fd, text.data(), text.size());
        if (n < 0) {
            if (errno == EINTR) continue;
            return false;  // a log that cannot be written has nowhere to say so
        }
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view text) noexcept {
    for (std::size_t i = 0; i < std::size(names); ++i) {
        if (names[i] == text) return static_cast<LogLevel>(i);
    }
    return std::nullopt;
}

struct LogSink::Writer {
    explicit Writer(int fd_) : fd(fd_), thread([this] { run(); }) {}

    ~Writer() {
        {
            std::lock_guard const lock(mutex);
            stopping = true;
        }
        wake.notify_one();
        thread.join();
    }

    void run() {
        std::unique_lock lock(mutex);
        for (;;) {
            wake.wait(lock, [this] { return stopping || !pending.empty(); });
            if (pending.empty()) return;
            std::string batch;
            batch.swap(pending);
            auto const lost = std::exchange(dropped, 0);
            writing = true;
            lock.unlock();
            write_all(fd, batch);
            if (lost > 0) {
                write_all(fd, fmt::format("{{\"level\":\"warning\",\"message\":\"log lines dropped\",\"count\":{}}}\n",
                                          lost));
            }
            lock.lock();
            writing = false;
            idle.notify_all();
        }
    }

    int fd;
    std::mutex mutex;
    std::condition_variable wake, idle;
    std::string pending;
    std::uint64_t dropped = 0;
    bool stopping = false, writing = false;
    std::thread thread;  // last: it uses all of the above
};

LogSink::LogSink(int fd, LogFormat format, LogLevel at_least)
    : writer_(std::make_unique<Writer>(fd)), format_(format), at_least_(at_least) {}

LogSink::~LogSink() = default;

void LogSink::write(std::string_view line) noexcept {
    try {
        {
            std::lock_guard const lock(writer_->mutex);
            if (writer_->pending.size() + line.size() > max_buffered) {
                ++writer_->dropped;
                return;
            }
            writer_->pending += line;
        }
        writer_->wake.notify_one();
    } catch (...) {  // NOLINT(bugprone-empty-catch): out of memory; the log is the last thing to ask for more
    }
}

void LogSink::flush() noexcept {
    std::unique_lock lock(writer_->mutex);
    writer_->idle.wait(lock, [this] { return writer_->pending.empty() && !writer_->writing; });
}

Log Log::with(std::initializer_list<LogField> fields) const {
    Log more = *this;
    if (sink_) append_fields(more.context_, fields, sink_->format());
    return more;
}

void Log::put(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
    if (!wants(level)) return;
    std::string line;
    line.reserve(160 + context_.size());
    auto const name = names[static_cast<std::size_t>(level)];
    if (sink_->format() == LogFormat::json) {
        line += "{\"time\":\"";
        append_rfc3339(line, now());
        line += "\",\"level\":\"";
        line += name;
        line += "\",\"message\":";
        append_json_string(line, message);
        line += context_;
        append_fields(line, fields, LogFormat::json);
        line += "}\n";
    } else {
        append_rfc3339(line, now());
        fmt::format_to(std::back_inserter(line), " {:<7} {}", name, message);
        line += context_;
        append_fields(line, fields, LogFormat::text);
        line += '\n';
    }
    sink_->write(line);
}

}  // namespace buildplan
