#include "redis/cache.hpp"

#include <array>
#include <boost/system/system_error.hpp>

#include "core/random.hpp"
#include "core/text.hpp"
#include "redis/cache_state.hpp"
#include "redis/errors.hpp"

namespace buildplan::redis {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char value_mark = 'V', absent_mark = 'N', lease_mark = 'L';

// Stores only where the lease still stands.
Script const& store_under_lease() {
    static Script const script(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1 "
        "end\n"
        "return 0");
    return script;
}

// Between nine tenths of it and all of it.
std::chrono::milliseconds jittered(std::chrono::milliseconds ttl) {
    std::array<std::uint8_t, 2> chance{};
    fill_random(chance);
    return ttl - ttl * (chance[0] * 256 + chance[1]) / 655'360;
}

}  // namespace

Cache::Family::Kept::Kept(metrics::Registry& registry, FamilyOptions options_)
    : options(std::move(options_)),
      hits(registry.counter("buildplan_cache_hits_total", "Reads answered without a load.", {{"cache", options.name}})),
      local_hits(registry.counter("buildplan_cache_local_hits_total", "Hits that did not need Redis, either.",
                                  {{"cache", options.name}})),
      misses(registry.counter("buildplan_cache_misses_total", "Reads that caused a load.", {{"cache", options.name}})),
      load_time(registry.histogram("buildplan_cache_load_seconds", "Loading what was not in the cache.",
                                   {{"cache", options.name}})) {}

Cache::State::State(Loop& loop_, Client& client_, Subscriber& subscriber_, Options options_)
    : loop(loop_),
      client(client_),
      subscriber(subscriber_),
      options(std::move(options_)),
      prefix("v" + std::to_string(options.schema) + ":"),
      self_id(to_hex(random_bytes(8))),
      copies(options.local_bytes),
      invalidated(loop.metrics().counter("buildplan_cache_invalidations_total", "Keys invalidated by this process.")),
      owed_count(
          loop.metrics().gauge("buildplan_cache_invalidations_owed", "Invalidations that Redis was not told yet.")),
      copied_bytes(loop.metrics().gauge("buildplan_cache_local_bytes", "What the copies in this process take.")) {
    messages =
        subscriber.subscribe(options.channel, [this](std::string_view, std::string_view message) { heard(message); });
    gaps = subscriber.watch([this](bool) { forget_all(); });
}

Cache::Cache(Loop& loop, Client& client, Subscriber& subscriber, Options options)
    : state_(std::make_shared<State>(loop, client, subscriber, std::move(options))) {}

Cache::Cache(Loop& loop, Client& client, Subscriber& subscriber) : Cache(loop, client, subscriber, Options{}) {}

Cache::~Cache() {
    state_->closed = true;
    state_->messages.end();
    state_->gaps.end();
}

Cache::Family Cache::family(FamilyOptions options) {
    return Family(&state_->families.emplace_back(state_->loop.metrics(), std::move(options)));
}

task<> Cache::drain() {
    auto const state = state_;
    co_await state->gate.close();
}

task<Answer> Cache::get(Family family, std::string key, Loader loader) {
    auto const state = state_;
    auto& kept = *family.kept_;
    key.insert(0, state->prefix);
    if (kept.options.local_ttl.count() > 0 && state->subscriber.live()) {
        if (auto const* copy = state->copies.find(key, Clock::now())) {
            kept.hits.add();
            kept.local_hits.add();
            co_return *copy;
        }
    }
    auto& entry = state->loads[key];
    auto load = entry;
    if (!load) {
        auto pass = state->gate.enter();
        if (!pass) {
            state->loads.erase(key);
            throw Unavailable("the cache is closing", Unavailable::Sent::no);
        }
        load = entry = std::make_shared<Load>();
        state->loop.spawn("cache load",
                          State::load(state, kept, std::move(key), load, std::move(loader), std::move(pass)));
    } else {
        kept.hits.add();
    }
    if (!load->done) {
        co_return co_await completed<Answer>([&load](Completion<Answer> done) {
            done.on_cancel([load = load.get(), at = load->waiting.size()] {
                if (at >= load->waiting.size()) return;
                auto gone = std::move(load->waiting[at]);
                gone.fail(std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)));
            });
            load->waiting.push_back(std::move(done));
        });
    }
    if (load->error) std::rethrow_exception(load->error);
    co_return load->answer;
}

task<> Cache::State::load(std::shared_ptr<State> self, Family::Kept& family, std::string key,
                          std::shared_ptr<Load> load, Loader loader, Gate::Pass pass) {
    auto const inside = std::move(pass);
    try {
        load->answer = co_await self->fetch(family, key, loader);
    } catch (...) {
        load->error = std::current_exception();
    }
    load->done = true;
    if (auto const found = self->loads.find(key); found != self->loads.end() && found->second == load)
        self->loads.erase(found);
    bool const wanted =
        load->answer ? load->answer->size() <= self->options.max_entry : family.options.absent_ttl.count() > 0;
    if (!load->error && !load->stale && wanted && family.options.local_ttl.count() > 0 && self->subscriber.live()) {
        self->copies.put(std::move(key), load->answer, Clock::now() + family.options.local_ttl);
        self->copied_bytes.set(static_cast<double>(self->copies.bytes()));
    }
    for (auto& waiting : std::exchange(load->waiting, {})) {
        if (load->error) {
            waiting.fail(load->error);
        } else {
            waiting(load->answer);
        }
    }
}

task<Answer> Cache::State::fetch(Family::Kept& family, std::string const& key, Loader const& loader) {
    Found found;
    if (believes_redis(key)) found = co_await ask_redis(key);
    if (found.hit) {
        family.hits.add();
        co_return std::move(found.answer);
    }
    family.misses.add();
    auto const begin = Clock::now();
    auto answer = co_await loader();
    family.load_time.observe(std::chrono::duration<double>(Clock::now() - begin).count());
    // Whether it is too old to be stored is for the lease to say, unless Redis has yet to hear of what we know.
    if (!found.lease.empty() && believes_redis(key)) store(family, key, found.lease, answer);
    co_return answer;
}

bool Cache::State::believes_redis(std::string const& key) const {
    return client.available() && !owed.contains(key) && Clock::now() >= distrust_until;
}

std::string Cache::State::new_lease() { return lease_mark + self_id + std::to_string(++leases); }

// A hit, or the lease to load under: ours, or that of somebody who is loading already. Neither when Redis does not
// answer.
task<Cache::State::Found> Cache::State::ask_redis(std::string const& key) {
    Found found;
    auto const lease = new_lease();
    try {
        auto get = Command("GET", key).within(options.patience);
        auto entry = co_await client.command(std::move(get));
        if (entry.is_nil()) {
            auto set = Command("SET", key, lease, "NX", "GET", "PX", options.lease.count()).within(options.patience);
            entry = co_await client.command(std::move(set));
        }
        auto const text = entry.is_nil() ? std::string_view(lease) : entry.as_text();
        if (text.starts_with(lease_mark)) {
            found.lease = text;
        } else if (text.starts_with(value_mark)) {
            found.hit = true;
            found.answer.emplace(text.substr(1));
        } else if (text.starts_with(absent_mark)) {
            found.hit = true;
        }
    } catch (Unavailable const&) {  // goes without
        found = {};
    } catch (Failure const& e) {  // out of memory, say
        loop.log().warning("the cache cannot be read", {{"error", e.what()}});
        found = {};
    }
    co_return found;
}

void Cache::State::store(Family::Kept const& family, std::string const& key, std::string const& lease,
                         Answer const& answer) {
    auto const ttl = answer ? family.options.ttl : family.options.absent_ttl;
    if (ttl.count() <= 0 || (answer && answer->size() > options.max_entry)) return;
    std::string entry(1, answer ? value_mark : absent_mark);
    if (answer) entry += *answer;
    client.send(store_under_lease().call({key}, lease, entry, jittered(ttl).count()));
}

}  // namespace buildplan::redis
