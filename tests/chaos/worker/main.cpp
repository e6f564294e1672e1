// A process of the chaos tests: relays the outbox, or works on jobs, until it is killed. It knows one kind of job,
// whose effect is a row of chaos_effects. Some of them fail at first, before their effect or after it, and some take a
// while with their effect written and not committed.
//
//   chaos_worker relay|work APP_URL SYSTEM_URL REDIS_URL [careless] [slow=PERMILLE]
//
// `careless` is what nobody should write: the effect is committed by itself, and the job marked afterwards. The tests
// have to notice.
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdio>

#include "postgres/bell.hpp"
#include "postgres/listener.hpp"
#include "queue/jobs/workforce.hpp"
#include "queue/outbox/bullmq_sink.hpp"
#include "queue/outbox/relay.hpp"

namespace buildplan::chaos {
namespace {

using namespace std::chrono_literals;
namespace jobs = queue::jobs;

// What the handler is told; a free function, so it lies here.
struct Orders {
    bool careless = false;
    unsigned slow = 10;  // jobs of a thousand
} orders;

struct AddEffect {
    Uuid job;

    static constexpr char sql[] =
        "INSERT INTO chaos_effects (organization_id, job_id) "
        "VALUES (current_setting('app.current_organization_id')::uuid, $1)";
    static constexpr std::uint32_t parameter_types[] = {postgres::oid::uuid};
    static constexpr postgres::Statement statement{"chaos.add_effect", sql, parameter_types};
    static constexpr auto cardinality = postgres::Cardinality::run;
    using Row = void;
    void bind(postgres::Parameters& parameters) const { parameters.add(job); }
};

// A number of the job that is the same at each attempt.
unsigned luck_of(Uuid const& job) { return static_cast<unsigned>(job.bytes[14] << 8U | job.bytes[15]); }

task<postgres::Json> have_effect(jobs::JobContext& context) {
    auto const job = context.entry().value().id.value;
    auto const luck = luck_of(job);
    bool const fails = (luck % 16 == 0 && context.attempt() == 1) || (luck % 64 == 0 && context.attempt() == 2);
    bool const after_effect = luck / 64 % 2 == 1;
    if (fails && !after_effect) throw std::runtime_error("it fails at first");
    AddEffect const effect{job};
    auto tx = orders.careless ? context.postgres().begin(context.principal()) : co_await context.begin();
    co_await tx.run(effect);
    if (fails) throw std::runtime_error("it fails when it has had its effect");
    if (orders.careless) co_await tx.commit();
    if (luck % 1000 < orders.slow) co_await sleep_for(100ms);
    if (!orders.careless) co_await tx.commit();
    co_return postgres::Json{"{}"};
}

// So many attempts that no job runs out of them: a database that is killed may cost any number.
constexpr jobs::JobType table[] = {
    {jobs::queues::webhook, "effect", have_effect, jobs::on("chaos.message"), jobs::attempts(100), jobs::backoff(50ms)},
    {jobs::queues::documents, "effect", have_effect, jobs::on("chaos.work"), jobs::attempts(100), jobs::backoff(50ms)},
};

postgres::Options database(std::string url) {
    postgres::Options options;
    options.url = std::move(url);
    options.exclusive.connections = 8;
    return options;
}

queue::outbox::RelayOptions impatient_relay() {
    return {.poll = 200ms, .look = 200ms, .sweep_every = 100ms, .sweep_pause = 500ms, .sweep_older = 2s};
}

// What a dead one had is taken back after a second or so instead of half a minute.
jobs::WorkforceOptions impatient_workers() {
    jobs::WorkforceOptions options;
    auto& workers = options.workers;
    workers.concurrency = 24;
    workers.lock_duration = 1s;
    workers.pool.turn_lasts = 1s;
    workers.pool.visits_apart = 500ms;
    workers.pool.look_at_paused = 200ms;
    workers.watching.lease = 1s;
    workers.watching.audit_every = 1s;
    return options;
}

struct Process {
    Process(Loop& loop_, Offload& offload, std::string const& app_url, std::string const& system_url,
            redis::Options const& redis_)
        : loop(loop_),
          client(redis::Client::make(loop, redis_)),
          system(loop, offload, database(system_url)),
          app(loop, offload, database(app_url)),
          catalog(tables),
          sink(*client),
          relay(loop, system, sink, catalog, impatient_relay()),
          listener(loop, offload, database(system_url), std::string(queue::outbox::bell_channel),
                   [this] { relay.wake(); }),
          bell(loop, system, std::string(queue::outbox::bell_channel)),
          performer(loop, catalog, app, no_shard(), &bell),
          force(loop, *client, redis_, system, performer, impatient_workers()) {}
    static api::Shard& no_shard() {
        static std::max_align_t nothing;
        return reinterpret_cast<api::Shard&>(nothing);  // the handler does not look into it
    }
    static constexpr std::span<jobs::JobType const> tables[] = {table};

    Loop& loop;
    std::unique_ptr<redis::Client> client;
    postgres::SystemPool system;
    postgres::Pool app;
    jobs::Catalog catalog;
    queue::outbox::BullmqSink sink;
    queue::outbox::Relay relay;
    postgres::Listener listener;
    postgres::Bell bell;
    jobs::Performer performer;
    jobs::Workforce force;
};

std::optional<std::int64_t> number_after(std::string_view name, std::string_view word) {
    std::int64_t number = 0;
    if (!word.starts_with(name)) return std::nullopt;
    word.remove_prefix(name.size());
    auto const [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc{} || end != word.data() + word.size() || number < 0) return std::nullopt;
    return number;
}

int run(std::span<char const* const> words) {
    for (std::string_view const word : words.subspan(4)) {
        if (word == "careless") {
            orders.careless = true;
        } else if (auto const slow = number_after("slow=", word)) {
            orders.slow = static_cast<unsigned>(*slow);
        } else {
            return 2;
        }
    }
    LogSink log(STDERR_FILENO, LogFormat::text, LogLevel::info);
    Loop loop(0, Log(log));
    Offload offload(1, 64);
    auto redis_options = redis::Options::parse(words[3]);
    redis_options.name = "queue";
    Process process(loop, offload, words[1], words[2], redis_options);
    if (words[0] == std::string_view("relay")) {
        process.relay.start();
        process.listener.start();
    } else if (words[0] == std::string_view("work")) {
        process.force.start();
    } else {
        return 2;
    }
    loop.run();
    return 1;  // nobody has told it to end
}

}  // namespace
}  // namespace buildplan::chaos

int main(int argc, char** argv) {
    std::span<char const* const> const words(argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0));
    if (words.size() < 4) return 2;
    try {
        return buildplan::chaos::run(words);
    } catch (std::exception const& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
