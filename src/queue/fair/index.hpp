// Index: which queues of which organizations have work, in the order of fairness: start-time fair queueing by seconds
// of service over weight (docs/decisions/0008). It lives in one slot of Redis, is shared by all processes, is soft
// state and may be lost at any moment; whoever serves or adds puts it right again.
//
// The rule that nothing is stranded by: producers write the queue, then signal. Consumers read the generation (with the
// pick), then probe, then remove, which is refused when there was a signal in between.
//
// Throws what redis::Client throws.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "queue/fair/lane.hpp"
#include "queue/fair/member.hpp"
#include "queue/fair/probe.hpp"
#include "queue/fair/tier.hpp"
#include "redis/client.hpp"

namespace buildplan::queue::fair {

// What somebody is to do next: a hint with an expiry, not a lock. Several may hold turns of one member.
struct Turn {
    Member member;
    Tier tier = Tier::free;
    std::string number;
    std::string generation;
    double charged = 0;  // seconds, in advance; more with each renewal
    double weight = 1;
    std::optional<std::int64_t> cap{};  // agreed with it; the tier's where there is none; 0 is no cap at all
    bool others_ready = false;
};

// Who wants a turn.
struct Wish {
    std::vector<Tier> tiers;  // in the order of preference
    bool nobody_idles = true;
};

// How a turn ended.
struct Settlement {
    Turn turn;
    std::chrono::duration<double> used{0};  // in all
    unsigned jobs = 0;
    enum class Then : std::uint8_t { ready, empty, later, leave } then = Then::leave;
    std::chrono::milliseconds look_again{0};  // where `later`
};

struct Moved {
    bool refused = false;    // there was a signal meanwhile: nothing was done; probe again
    std::string generation;  // where refused
    std::optional<Turn> next{};
};

struct Renewal {
    std::string number;
    Member member;
    std::chrono::duration<double> used{0};  // beyond what has been charged
};

struct Admission {
    OrganizationId organization;
    Tier tier = Tier::free;
    double weight = 1;
    std::optional<std::int64_t> cap{};  // see Turn
};

struct Lost {
    Member member;
    int visit = 0;
};

struct TierStanding {
    std::chrono::milliseconds oldest_wait{0};
    std::int64_t ready = 0;
    double lead = 0;  // seconds over weight between the most and the least served that are ready
};
struct Standings {
    std::array<TierStanding, tiers.size()> tiers;
    std::int64_t due = 0, turns = 0;
};

struct Guarantee {
    bool admitted = false;
    std::int64_t surviving = 0;  // reserved slots that are left when the largest process is lost
    std::int64_t promised = 0;
};

class Index {
public:
    // `served` are the queues of the lane that this process works on. `slot` is the hash tag that all keys carry.
    Index(redis::Client& client, Lane lane, std::vector<std::string> served, std::string slot = "{bpsched:0}");

    [[nodiscard]] Lane const& lane() const noexcept { return lane_; }
    [[nodiscard]] std::vector<std::string> const& served() const noexcept { return served_; }

    // These queues were added to, or may be served again.
    task<> signal(std::vector<Member> members);
    // Nobody waits for it; false when Redis is gone.
    bool send_signal(Member const& member);

    task<std::optional<Turn>> pick(Wish wish, std::chrono::milliseconds lasts);
    // Ends a turn and picks the next in one trip. A pick is not made where the settlement is refused.
    task<Moved> settle(Settlement end, std::optional<Wish> wish, std::chrono::milliseconds lasts);
    // Tells, for each, whether it is still ours.
    task<std::vector<bool>> renew(std::vector<Renewal> turns, std::chrono::milliseconds lasts);
    // Turns that expired. Each is visited three times, so much apart.
    task<std::vector<Lost>> reap(std::size_t most, std::chrono::milliseconds apart);
    // Signals what is due; tells when the next will be.
    struct Due {
        std::size_t signalled = 0;
        std::optional<std::chrono::milliseconds> next{};
    };
    task<Due> due(std::size_t most);

    task<std::int64_t> admit(std::vector<Admission> admissions);
    // Those of `members` that are neither ready nor due.
    task<std::vector<Member>> missing(std::vector<Member> members);
    task<Standings> standings();
    // How many members of a tier are ready, those that have turns included.
    task<std::int64_t> ready(Tier tier);
    // Lets an idle process know of more work in this queue.
    void hint(Tier tier, std::string_view queue);

    // This process, or one loop of it ("process/loop"), has so many slots that serve ENTERPRISE alone.
    task<> announce(std::string_view process, std::size_t reserved, std::chrono::milliseconds lasts);
    // So many slots for an organization; 0 takes the promise back.
    task<Guarantee> promise(OrganizationId organization, std::int64_t slots);

    // What to wait on (BLPOP) for work of this tier.
    [[nodiscard]] std::vector<std::string> wake_lists(Tier tier) const;
    [[nodiscard]] std::string key(std::string_view word) const;

private:
    redis::Command turn_command(Settlement const* end, Wish const* wish, std::chrono::milliseconds lasts) const;

    redis::Client* client_;
    Lane lane_;
    std::vector<std::string> served_;
    std::string base_, all_queues_, served_queues_;
};

}  // namespace buildplan::queue::fair
