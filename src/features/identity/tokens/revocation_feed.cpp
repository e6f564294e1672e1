#include "features/identity/tokens/revocation_feed.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <limits>

#include "features/identity/tokens/queries.gen.hpp"

namespace buildplan::identity {
namespace {

namespace queries = tokens::queries;

constexpr std::string_view work = "read_revocations";
// Notes are kept for an hour: who has not read for so long has missed some.
constexpr std::chrono::minutes longest_gap{30};

}  // namespace

RevocationFeed::RevocationFeed(Loop& loop, postgres::SystemPool& system, Options options, Listener listener)
    : loop_(loop), system_(system), options_(options), listener_(std::move(listener)) {}

void RevocationFeed::listen(redis::Subscriber& subscriber) {
    live_ = subscriber.live();
    revoked_ = subscriber.subscribe(std::string(revocations_channel), [this](std::string_view, std::string_view text) {
        while (!text.empty()) {
            auto const end = std::min(text.find(' '), text.size());
            if (auto const id = Uuid::parse(text.substr(0, end))) listener_.revoked(*id);
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    });
    watch_ = subscriber.watch([this](bool live) {
        live_ = live;
        // What was said meanwhile is lost; what is kept is good only as far as PostgreSQL has been read.
        if (live && !(Clock::now() - read_at_ <= options_.trust)) listener_.everything();
    });
}

void RevocationFeed::stop_listening() {
    revoked_.end();
    watch_.end();
    live_ = false;
}

bool RevocationFeed::complete() const noexcept {
    return since_ && (live_ || Clock::now() - read_at_ <= options_.trust);
}

task<> RevocationFeed::begin() {
    if (!since_) co_await read();
}

task<> RevocationFeed::read() {
    auto const began = Clock::now();
    bool const first = !since_;
    if (!first && began - read_at_ > longest_gap) listener_.everything();
    queries::RevocationsSince const query{.since = since_.value_or(std::numeric_limits<std::int64_t>::max()),
                                          .limit = options_.most + 1};
    auto const rows = co_await system_.all(work, query);
    if (first && since_) co_return;  // somebody else began meanwhile
    auto const xmin = rows.at(0).xmin;
    std::set<std::int64_t> seen;
    if (rows.size() > static_cast<std::size_t>(options_.most)) {
        listener_.everything();
    } else {
        for (auto const& row : rows) {
            if (!row.id) continue;
            seen.insert(*row.id);
            if (!seen_.contains(*row.id)) listener_.revoked(*row.subject);
        }
    }
    seen_ = std::move(seen);
    since_ = xmin;
    read_at_ = began;
}

void RevocationFeed::start() {
    auto pass = gate_.enter();
    asio::co_spawn(loop_.io(), run(std::move(pass)),
                   asio::bind_cancellation_slot(cancel_.slot(), [](std::exception_ptr const&) {}));
}

task<> RevocationFeed::stop() {
    cancel_.emit(asio::cancellation_type::terminal);
    co_await gate_.close();
}

task<> RevocationFeed::run(Gate::Pass pass) {
    auto const held = std::move(pass);
    for (;;) {
        try {
            co_await read();
        } catch (Problem const& problem) {
            // The pools say that they have no connection; here it only means that nothing kept may be used.
            loop_.log().debug("revocations could not be read", {{"error", problem.detail}});
        } catch (postgres::Error const& error) {
            loop_.log().warning("revocations could not be read", {{"error", error.what()}});
        }
        co_await sleep_for(live_ ? options_.every : options_.every_deaf);
    }
}

task<std::uint64_t> sweep_revocations(postgres::SystemPool& system) {
    queries::SweepRevocations const query;
    co_return co_await system.run(work, query);
}

}  // namespace buildplan::identity
