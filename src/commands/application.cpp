#include "commands/application.hpp"

#include <array>
#include <thread>

#include "api/pipeline.hpp"
#include "api/system_routes.hpp"
#include "commands/housekeeping.hpp"
#include "commands/options.hpp"
#include "commands/postbox.hpp"
#include "commands/version.hpp"
#include "commands/working.hpp"
#include "features/billing/limiter.hpp"
#include "features/identity/authentication.hpp"
#include "features/identity/people_cache.hpp"
#include "features/identity/sign_in/entrance.hpp"
#include "features/job_table.hpp"
#include "features/route_table.hpp"
#include "net/client/http_client.hpp"
#include "net/server.hpp"
#include "postgres/bell.hpp"
#include "postgres/pool.hpp"
#include "redis/cache.hpp"
#include "redis/client.hpp"
#include "redis/rate.hpp"
#include "redis/subscriber.hpp"

namespace buildplan::commands {
namespace {

constexpr auto housekeeping_period = std::chrono::minutes{5};

identity::Authentication::Options authentication_options(Settings const& settings) {
    identity::Authentication::Options options;
    options.tokens = token_options(settings);
    return options;
}

api::RouteTables tables_for(Roles roles) {
    if (roles.serve) return features::route_tables();
    static std::array const alone{api::system_routes()};  // alive, ready, metrics
    return alone;
}

}  // namespace

// Everything of one shard, in the order in which it needs each other. Made, used and unmade on the shard's thread.
struct Application::Unit {
    Unit(Application& all, Loop& loop_, net::Listener listener)
        : loop(loop_),
          postgres(loop, all.offload_, postgres_options(all.settings_, all.settings_.postgres.app_url)),
          system(loop, all.offload_, postgres_options(all.settings_, all.settings_.postgres.system_url)),
          redis(redis::Client::make(loop, redis_options(all.settings_, all.settings_.redis.cache_url, "cache"))),
          queue(redis::Client::make(loop, redis_options(all.settings_, all.settings_.redis.queue_url, "queue"))),
          bell(loop, system, std::string(queue::outbox::bell_channel)),
          subscriber(loop, redis_options(all.settings_, all.settings_.redis.cache_url, "cache")),
          cache(loop, *redis, subscriber, {.local_bytes = all.settings_.cache.local.bytes}),
          counter(*redis, static_cast<unsigned>(all.shards_.size())),
          settings(loop, postgres, &cache),
          meter(loop, system),
          limiter(settings, counter, meter, all.settings_.api.rate_limits),
          http(loop, {}),
          people(loop, cache),
          authentication(loop, system, authentication_options(all.settings_)),
          entrance(all.offload_, redis.get(),
                   {.secret = all.settings_.api.secret, .shards = static_cast<unsigned>(all.shards_.size())}),
          shard{.loop = loop,
                .constants = all.constants_,
                .postgres = postgres,
                .system = system,
                .offload = all.offload_,
                .authenticator = authentication,
                .limiter = &limiter,
                .redis = redis.get(),
                .cache = &cache,
                .http = &http,
                .tokens = &authentication.tokens(),
                .entrance = &entrance,
                .people = &people,
                .settings = &settings,
                .bell = &bell,
                .queue = queue.get()},
          pipeline(shard),
          server(loop, std::move(listener), server_settings(all.settings_), pipeline.hooks()),
          housekeeping(loop, system, all.settings_),
          postbox(loop, system) {
        authentication.share(&people);
        authentication.listen(subscriber);
        authentication.start();
        meter.start();
        if (all.roles_.work) working.emplace(all.settings_, all.process_, all.jobs_, all.offload_, shard);
    }

    // Nobody asks any more: ends what the requests stood on, the last first.
    task<> close() {
        if (working) co_await working->close();
        co_await entrance.close();
        co_await postbox.stop();
        co_await housekeeping.stop();
        co_await meter.close();
        co_await authentication.close();
        co_await http.close(std::chrono::seconds{1});
        co_await cache.drain();
        subscriber.close();
        co_await redis->close();
        co_await queue->close();
        co_await bell.close();
        co_await postgres.close();
        co_await system.close();
    }

    Loop& loop;
    postgres::Pool postgres;
    postgres::SystemPool system;
    std::unique_ptr<redis::Client> redis;
    std::unique_ptr<redis::Client> queue;
    postgres::Bell bell;
    redis::Subscriber subscriber;
    redis::Cache cache;
    redis::RateCounter counter;
    billing::SettingsCache settings;
    billing::UsageMeter meter;
    billing::TierLimiter limiter;
    net::HttpClient http;
    identity::PeopleCache people;
    identity::Authentication authentication;
    identity::Entrance entrance;
    api::Shard shard;
    api::Pipeline pipeline;
    net::Server server;
    Housekeeping housekeeping;
    Postbox postbox;
    std::optional<Working> working;
};

unsigned Application::shard_count(Settings const& settings) noexcept {
    return settings.http.shards > 0 ? settings.http.shards : usable_cores();
}

Application::Application(Settings settings, Roles roles, std::vector<net::Listener> listeners, Log log)
    : settings_(std::move(settings)),
      roles_(roles),
      log_(std::move(log)),
      jobs_(features::job_tables()),
      constants_(tables_for(roles), std::string(version), settings_.api.secret),
      offload_(settings_.offload.threads > 0 ? settings_.offload.threads : usable_cores(), settings_.offload.queue),
      shards_(shard_count(settings_), log_),
      listeners_(std::move(listeners)) {
    // Said here, before a thread runs, rather than by each of them.
    (void)server_settings(settings_);
    (void)redis_options(settings_, settings_.redis.cache_url, "cache");
    (void)redis_options(settings_, settings_.redis.queue_url, "queue");
    (void)workers_options(settings_);
    constants_.registries = shards_.registries();
    units_.resize(shards_.size());
}

Application::~Application() {
    if (!running_) return;
    // Somebody threw while this ran: no drain, but the order of the threads.
    shards_.on_each([this](Loop& loop) -> task<> {
        units_[loop.index()].reset();
        co_return;
    });
    shards_.stop();
}

void Application::start() {
    shards_.start();
    running_ = true;
    shards_.on_each([this](Loop& loop) -> task<> {
        auto& unit = units_[loop.index()];
        unit = std::make_unique<Unit>(*this, loop, std::move(listeners_[loop.index()]));
        unit->server.start();
        try {
            co_await unit->postgres.ping();
            co_await unit->system.ping();
        } catch (std::exception const& error) {
            log_.warning("PostgreSQL does not answer yet", {{"error", error.what()}});
        }
        if (unit->working) unit->working->start();
        if (roles_.work && loop.index() == 0) unit->housekeeping.start(housekeeping_period);
    });
    constants_.serving = true;
}

void Application::stop() {
    constants_.serving = false;
    std::this_thread::sleep_for(settings_.shutdown.ready_delay);
    shards_.on_each([this](Loop& loop) -> task<> {
        auto& unit = units_[loop.index()];
        if (unit->working) co_await unit->working->stop(settings_.work.grace);
        co_await unit->server.drain(settings_.shutdown.grace);
        co_await unit->close();
        unit.reset();
    });
    shards_.stop();
    running_ = false;
}

void Application::print_letters(std::string site, std::function<void(std::string const&)> print) {
    shards_.on_each([this, &site, &print](Loop& loop) -> task<> {
        if (loop.index() == 0) units_[0]->postbox.start(site, print);
        co_return;
    });
}

void Application::run(std::function<task<>(api::Shard&)> const& work) {
    shards_.on_each([this, &work](Loop& loop) -> task<> {
        if (loop.index() != 0) co_return;
        co_await work(units_[0]->shard);
    });
}

}  // namespace buildplan::commands
