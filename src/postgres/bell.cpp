#include "postgres/bell.hpp"

namespace buildplan::postgres {
namespace {

// By hand, since what makes the others stands on this floor. A NOTIFY holds a lock that all other NOTIFYs of the server
// wait for until its commit is on disk; this commit has nothing to lose, so it does not wait for the disk.
struct RingBell {
    std::string_view channel;

    static constexpr std::uint32_t types[] = {oid::text};
    static constexpr Statement statement{
        "postgres.ring_bell",
        "SELECT true FROM (SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, '')) AS told", types};
    static constexpr auto cardinality = Cardinality::one;
    using Row = bool;
    void bind(Parameters& parameters) const { parameters.add(channel); }
    static bool read(RowView row) { return row.get<bool>(0); }
};

}  // namespace

Bell::Bell(Loop& loop, SystemPool& system, std::string channel)
    : loop_(loop),
      system_(system),
      channel_(std::move(channel)),
      rung_(loop.metrics().counter("buildplan_bell_rings_total", "Notifications sent to those that listen.",
                                   {{"channel", channel_}})) {}

void Bell::ring() {
    if (std::exchange(telling_, true)) {
        again_ = true;
        return;
    }
    if (auto pass = gate_.enter()) {
        loop_.spawn("ring the bell", tell(*this, std::move(pass)));
    } else {
        telling_ = false;
    }
}

task<> Bell::tell(Bell& bell, Gate::Pass pass) {
    auto const held = std::move(pass);
    do {
        if (auto const rest = bell.last_ + quiet - Clock::now(); rest > Clock::duration{0} && !bell.gate_.closed())
            co_await sleep_for(rest);
        bell.again_ = false;
        bell.last_ = Clock::now();
        RingBell const query{.channel = bell.channel_};
        try {
            co_await bell.system_.one("ring_bell", query);
            bell.rung_.add();
        } catch (std::exception const& error) {
            bell.loop_.log().debug("the bell could not be rung", {{"error", error.what()}});
        }
    } while (bell.again_);
    bell.telling_ = false;
}

task<> Bell::close() { co_await gate_.close(); }

}  // namespace buildplan::postgres
