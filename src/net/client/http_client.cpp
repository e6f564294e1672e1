#include "net/client/http_client.hpp"

#include <algorithm>
#include <cstdint>

#include "core/random.hpp"
#include "core/text.hpp"

namespace buildplan::net {
namespace {

using Clock = std::chrono::steady_clock;

bool is_token(std::string_view text) {
    return !text.empty() && text.size() <= 256 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

bool is_header_value(std::string_view text) {
    return std::ranges::none_of(text, [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

// They frame the message or name its receiver; two opinions about that are how requests are smuggled.
constexpr std::string_view reserved_headers[] = {"host",       "content-length",  "transfer-encoding", "connection",
                                                 "te",         "trailer",         "upgrade",           "expect",
                                                 "keep-alive", "proxy-connection"};

void check(HttpRequest const& request) {
    auto const refuse = [](char const* why) { throw HttpError(HttpError::Kind::invalid, why); };
    if (!is_token(request.method) || request.method == "CONNECT") refuse("this is not a method to call with");
    if (request.source && !request.body.empty()) refuse("a request has a body or a source, not both");
    for (auto const& [name, value] : request.headers) {
        if (!is_token(name) || !is_header_value(value)) refuse("a header has characters that it must not have");
        if (std::ranges::any_of(reserved_headers, [&](auto known) { return ascii_iequals(known, name); })) {
            refuse("a header is set that belongs to the client");
        }
    }
    if (!is_header_value(request.traceparent)) refuse("traceparent has characters that it must not have");
}

// What may go along to another origin than the one it was written for. A list of what is harmless, because the names of
// headers with keys in them are without number.
bool may_leave_origin(std::string_view name) {
    constexpr std::string_view harmless[] = {"accept", "accept-language", "content-type", "user-agent", "range"};
    return std::ranges::any_of(harmless, [&](auto known) { return ascii_iequals(known, name); });
}

[[noreturn]] void refuse_redirect(char const* why) { throw HttpError(HttpError::Kind::redirect, why); }

HttpUrl follow(HttpUrl const& from, std::string_view location) {
    std::optional<HttpUrl> to;
    try {
        to = from.resolve(location);
    } catch (HttpError const&) {
        refuse_redirect("redirected to what cannot be called");
    }
    if (from.scheme == "https" && to->scheme == "http") refuse_redirect("redirected from https to http");
    return *to;
}

double random_fraction() {
    std::array<std::uint8_t, 8> bytes{};
    fill_random(bytes);
    std::uint64_t bits = 0;
    for (auto const byte : bytes) bits = bits << 8 | byte;
    return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

struct HttpClient::Job {
    HttpRequest const& request;
    HttpSink const* sink;
    Alarm& alarm;
    Alarm::Time deadline;
    HttpUrl url;
    bool idempotent;
    bool committed = false;  // the sink, or the server from the source, has had what cannot be taken back

    [[nodiscard]] bool repeatable() const noexcept {
        return idempotent || request.options.retry.when == RetryPolicy::When::always;
    }
};

struct HttpClient::Meters {
    explicit Meters(metrics::Registry& registry) {
        constexpr auto name = "buildplan_http_client_requests_total";
        constexpr auto help =
            "Outbound HTTP requests by what came of them: the class of the status, or why there was no answer.";
        constexpr std::string_view classes[] = {"2xx", "3xx", "4xx", "5xx"};
        for (std::size_t i = 0; i < answers.size(); ++i)
            answers[i] = &registry.counter(name, help, {{"outcome", classes[i]}});
        for (std::size_t i = 0; i < errors.size(); ++i) {
            errors[i] = &registry.counter(name, help, {{"outcome", to_string(static_cast<HttpError::Kind>(i))}});
        }
        cancelled = &registry.counter(name, help, {{"outcome", "cancelled"}});
        retries =
            &registry.counter("buildplan_http_client_retries_total", "Outbound HTTP requests that were sent again.");
        seconds = &registry.histogram("buildplan_http_client_request_seconds",
                                      "How long outbound HTTP requests took, with waits, redirects and retries.");
        in_flight =
            &registry.gauge("buildplan_http_client_in_flight", "Outbound HTTP requests that are not answered yet.");
    }
    std::array<metrics::Counter*, 4> answers{};
    std::array<metrics::Counter*, HttpError::kinds> errors{};
    metrics::Counter* cancelled;
    metrics::Counter* retries;
    metrics::Histogram* seconds;
    metrics::Gauge* in_flight;
};

// Counts one call: as cancelled unless it hears otherwise.
struct HttpClient::Measure {
    explicit Measure(Meters& meters_) : meters(meters_), outcome(meters_.cancelled) { meters.in_flight->add(1); }
    ~Measure() {
        meters.in_flight->add(-1);
        meters.seconds->observe(std::chrono::duration<double>(Clock::now() - began).count());
        outcome->add();
    }
    Measure(Measure const&) = delete;
    Measure& operator=(Measure const&) = delete;

    Meters& meters;
    metrics::Counter* outcome;
    Alarm::Time const began = Clock::now();
};

HttpClient::HttpClient(Loop& loop, HttpClientSettings const& settings)
    : loop_(loop),
      trust_{settings.user_agent, settings.ca_file, AllowList(settings.allow_listed)},
      circle_(std::make_shared<AlarmCircle>()),
      lanes_({settings.per_origin, settings.connections, settings.waiting}),
      multi_(loop.executor(), settings.connections),
      meters_(std::make_unique<Meters>(loop.metrics())) {}

HttpClient::~HttpClient() = default;

// Before attempt `next`; nothing when the outcome so far is the last word.
std::optional<Clock::duration> HttpClient::next_wait(Job const& job, unsigned next,
                                                     std::optional<HttpResponse> const& response,
                                                     std::optional<HttpError> const& error) {
    using enum HttpError::Kind;
    auto const& policy = job.request.options.retry;
    if (job.committed) return {};
    if (error) {
        bool const passing =
            error->kind == resolve || error->kind == connect || error->kind == timeout || error->kind == aborted;
        if (!passing || !(error->safe_to_retry || job.repeatable())) return {};
    } else if (!is_retried_status(response->status) || !job.repeatable()) {
        return {};
    }
    auto const asked = response ? response->retry_after() : std::nullopt;
    return retry_wait(policy, next, asked, random_fraction(), job.deadline - Clock::now());
}

task<HttpResponse> HttpClient::send(HttpRequest request) { co_return co_await perform(request, nullptr); }

task<HttpResponse> HttpClient::stream(HttpRequest request, HttpSink sink) {
    co_return co_await perform(request, &sink);
}

task<> HttpClient::close(Clock::duration grace) {
    Timer timer(loop_.executor(), grace);
    timer.async_wait([circle = circle_](boost::system::error_code error) {
        if (!error) circle->end();
    });
    co_await gate_.close();
}

task<HttpResponse> HttpClient::perform(HttpRequest const& request, HttpSink const* sink) {
    auto const pass = gate_.enter();
    if (!pass) throw HttpError(HttpError::Kind::closed, "the HTTP client was closed", true);
    Measure measure(*meters_);
    try {
        check(request);
        Alarm alarm(loop_.executor(), *circle_);
        Job job{request,
                sink,
                alarm,
                measure.began + request.options.timeouts.total,
                HttpUrl::parse(request.url),
                is_idempotent_method(request.method) || find_header(request.headers, "idempotency-key")};
        auto response = co_await with_retries(job);
        response.duration = Clock::now() - measure.began;
        if (response.status >= 200) measure.outcome = meters_->answers[std::min(response.status / 100 - 2, 3)];
        co_return response;
    } catch (HttpError const& error) {
        measure.outcome = meters_->errors[static_cast<std::size_t>(error.kind)];
        throw;
    }
}

task<HttpResponse> HttpClient::with_retries(Job& job) {
    for (unsigned attempt = 1;; ++attempt) {
        std::optional<HttpResponse> response;
        std::optional<HttpError> error;
        try {
            response = co_await with_redirects(job);
        } catch (HttpError const& e) {
            error = e;
        }
        auto const wait = next_wait(job, attempt + 1, response, error);
        if (!wait) {
            if (error) throw *error;
            response->attempts = attempt;
            co_return std::move(*response);
        }
        meters_->retries->add();
        auto const until = Clock::now() + *wait;
        while (Clock::now() < until) co_await job.alarm.until(until);
    }
}

task<HttpResponse> HttpClient::with_redirects(Job& job) {
    auto const& request = job.request;
    auto url = job.url;
    auto method = request.method;
    auto headers = request.headers;
    std::string_view body = request.body;
    bool with_source = request.source != nullptr;
    bool same_origin = true;
    for (unsigned hop = 0;; ++hop) {
        Exchange::Order const order{.request = request,
                                    .url = url,
                                    .method = method,
                                    .headers = headers,
                                    .body = body,
                                    .with_source = with_source,
                                    .streamed = job.sink != nullptr,
                                    .skip_redirects = request.options.max_redirects > 0,
                                    .sign = same_origin,
                                    .repeatable = job.repeatable() && !with_source};
        auto response = co_await once(job, url, order);
        if (!order.skip_redirects || !response.redirects()) co_return response;

        if (hop >= request.options.max_redirects) refuse_redirect("redirected too often");
        auto next = follow(url, response.header("location"));
        if (response.status == 303 ? method != "HEAD" : method == "POST" && response.status <= 302) {
            method = "GET";
            body = {};
            with_source = false;
            std::erase_if(headers, [](auto const& header) { return ascii_lower(header.name).starts_with("content-"); });
        }
        if (with_source) refuse_redirect("redirected, and the body cannot be sent again");
        if (next.origin != url.origin) {
            same_origin = false;
            std::erase_if(headers, [](auto const& header) { return !may_leave_origin(header.name); });
        }
        url = std::move(next);
    }
}

task<HttpResponse> HttpClient::once(Job& job, HttpUrl const& url, Exchange::Order const& order) {
    auto const pass = co_await lanes_.enter(url.origin, job.alarm, job.deadline);
    Exchange exchange(multi_, job.alarm, trust_, order);
    for (;;) {
        switch (co_await exchange.news(job.deadline)) {
            case Exchange::News::ended:
                co_return exchange.finish();
            case Exchange::News::hungry: {
                job.committed = true;
                auto made = job.request.source();
                auto piece = co_await std::move(made);
                exchange.feed(std::move(piece));
                break;
            }
            case Exchange::News::piece: {
                job.committed = true;
                auto const piece = exchange.take_piece();
                auto taken = (*job.sink)(exchange.head(), piece);
                co_await std::move(taken);
                exchange.read_on();
                break;
            }
        }
    }
}

}  // namespace buildplan::net
