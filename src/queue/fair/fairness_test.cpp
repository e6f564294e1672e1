// Fairness over simulated time: tenants that do what tenants do to get more than their share, held against the bounds
// of start-time fair queueing (Goyal, Vin, Cheng 1996), and the scripts of the index held against the same account.
#include "queue/fair/fairness.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <queue>
#include <random>

#include "queue/fair/index.hpp"
#include "redis/test_loop.hpp"

namespace buildplan::queue::fair {
namespace {

// How a tenant behaves. All but the trickling one always have work.
struct Tenant {
    double weight = 1;
    int queues = 1;                    // spreads its work over so many
    double shortest = 1, longest = 1;  // seconds that its turns take
    double every = 0;                  // 0: always has work; else one job comes each so many seconds
};

struct Served {
    double service = 0;
    double longest_wait = 0;  // from a job's coming, where it trickles, to its turn
};

// A number of slots and one account in simulated time. What the tenants were given in [0, until), and the largest
// difference of service over weight between any two that always have work, at any moment.
struct Simulation {
    std::vector<Tenant> tenants;
    std::size_t slots = 1;
    double until = 1000;
    unsigned seed = 1;

    std::vector<Served> served{};
    double largest_difference = 0;  // over what is allowed to that pair

    [[nodiscard]] double longest_turn() const {
        double longest = 0;
        for (auto const& tenant : tenants) longest = std::max(longest, tenant.longest);
        return longest;
    }

    // What two may differ by. With one slot it is the classical bound: one turn of each over its weight. With more each
    // slot may hold a turn whose length is not known yet, and what is charged in advance for it is the usual length.
    [[nodiscard]] double bound(Tenant const& a, Tenant const& b) const {
        if (slots == 1) return a.longest / a.weight + b.longest / b.weight;
        return 2 * static_cast<double>(slots) * longest_turn() * (1 / a.weight + 1 / b.weight);
    }

    void run() {
        std::mt19937 dice(seed);
        Account account;
        served.assign(tenants.size(), {});
        struct Turn {
            double ends;
            double length;
            Account::Pick pick;
            bool operator>(Turn const& other) const { return ends > other.ends; }
        };
        std::priority_queue<Turn, std::vector<Turn>, std::greater<>> running;
        std::vector<double> next_job(tenants.size()), came(tenants.size(), -1);
        for (std::size_t i = 0; i < tenants.size(); ++i) {
            account.set_weight(static_cast<int>(i), tenants[i].weight);
            if (tenants[i].every > 0) {
                next_job[i] = std::uniform_real_distribution(0.0, tenants[i].every)(dice);
                continue;
            }
            for (int queue = 0; queue < tenants[i].queues; ++queue) account.signal(static_cast<int>(i), queue);
        }
        double now = 0;
        while (now < until) {
            while (running.size() < slots) {
                auto const pick = account.pick(dice());
                if (!pick) break;
                auto const i = static_cast<std::size_t>(pick->organization);
                auto const& tenant = tenants[i];
                double length = std::uniform_real_distribution(tenant.shortest, tenant.longest)(dice);
                if (tenant.every > 0) {
                    if (came[i] < 0) {  // another turn has it
                        account.settle(*pick, 0, false, true);
                        continue;
                    }
                    served[i].longest_wait = std::max(served[i].longest_wait, now - came[i]);
                    came[i] = -1;
                }
                running.push({now + length, length, *pick});
            }
            double next = running.empty() ? until : running.top().ends;
            for (std::size_t i = 0; i < tenants.size(); ++i) {
                if (tenants[i].every > 0) next = std::min(next, std::max(next_job[i], now));
            }
            now = next;
            for (std::size_t i = 0; i < tenants.size(); ++i) {
                if (tenants[i].every <= 0 || next_job[i] > now) continue;
                next_job[i] = now + tenants[i].every;
                if (came[i] >= 0) continue;
                came[i] = now;
                account.signal(static_cast<int>(i), 0);
            }
            while (!running.empty() && running.top().ends <= now) {
                auto const turn = running.top();
                running.pop();
                auto const i = static_cast<std::size_t>(turn.pick.organization);
                served[i].service += turn.length;
                bool const empty = tenants[i].every > 0 && came[i] < 0;
                if (!account.settle(turn.pick, turn.length, true, empty))
                    account.settle(turn.pick, turn.length, true, false);
            }
            compare();
        }
    }

    void compare() {
        for (std::size_t a = 0; a < tenants.size(); ++a) {
            for (std::size_t b = 0; b < a; ++b) {
                if (tenants[a].every > 0 || tenants[b].every > 0) continue;
                auto const difference =
                    std::abs(served[a].service / tenants[a].weight - served[b].service / tenants[b].weight);
                largest_difference = std::max(largest_difference, difference / bound(tenants[a], tenants[b]));
            }
        }
    }
};

rc::Gen<Tenant> any_tenant(bool trickles) {
    return rc::gen::map(rc::gen::tuple(rc::gen::inRange(1, 5), rc::gen::inRange(1, 5), rc::gen::inRange(1, 200),
                                       rc::gen::inRange(0, 2000), rc::gen::inRange(1, 4000)),
                        [trickles](auto const& of) {
                            auto const [weight, queues, tenth, more, every] = of;
                            return Tenant{.weight = static_cast<double>(weight),
                                          .queues = queues,
                                          .shortest = tenth / 10.0,
                                          .longest = (tenth + more) / 10.0,
                                          .every = trickles ? every / 10.0 : 0};
                        });
}

RC_GTEST_PROP(Fairness, OneSlotStaysWithinTheBoundOfStartTimeFairQueueing, (unsigned seed)) {
    Simulation run{.tenants = *rc::gen::container<std::vector<Tenant>>(*rc::gen::inRange(2, 7), any_tenant(false)),
                   .until = 5000,
                   .seed = seed};
    run.run();
    RC_ASSERT(run.largest_difference <= 1 + 1e-9);
}

RC_GTEST_PROP(Fairness, ManySlotsStayWithinTheBound, (unsigned seed)) {
    Simulation run{.tenants = *rc::gen::container<std::vector<Tenant>>(*rc::gen::inRange(2, 7), any_tenant(false)),
                   .slots = static_cast<std::size_t>(*rc::gen::inRange(2, 20)),
                   .until = 2000,
                   .seed = seed};
    run.run();
    RC_ASSERT(run.largest_difference <= 1 + 1e-9);
}

RC_GTEST_PROP(Fairness, WhoTricklesWaitsNoLongerThanOneTurnOfEachOther, (unsigned seed)) {
    auto tenants = *rc::gen::container<std::vector<Tenant>>(*rc::gen::inRange(1, 5), any_tenant(false));
    tenants.push_back(*any_tenant(true));
    auto& trickler = tenants.back();
    trickler.longest = trickler.shortest = 0.1;
    trickler.every = std::max(trickler.every, 50.0);
    Simulation run{.tenants = tenants, .until = 5000, .seed = seed};
    run.run();
    double allowed = run.longest_turn();  // what runs when it comes
    for (std::size_t i = 0; i + 1 < tenants.size(); ++i) allowed += tenants[i].longest;
    RC_ASSERT(run.served.back().longest_wait <= allowed + 1e-9);
}

double share(Simulation const& run, std::size_t of) {
    double sum = 0;
    for (auto const& each : run.served) sum += each.service;
    return run.served[of].service / sum;
}

TEST(Fairness, ATenantWithTenThousandJobsGetsWhatOneWithFewGets) {
    Simulation run{.tenants = std::vector<Tenant>(10), .slots = 4, .until = 10'000};
    run.run();
    for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(share(run, i), 0.1, 0.001);
}

TEST(Fairness, SpreadingOverSevenQueuesGainsNothing) {
    Simulation run{.tenants = {{.queues = 7}, {}, {}, {}}, .slots = 4, .until = 10'000};
    run.run();
    EXPECT_NEAR(share(run, 0), 0.25, 0.002);
}

TEST(Fairness, LongJobsGainNothing) {
    Simulation run{.tenants = {{.shortest = 60, .longest = 600}, {.shortest = 0.1, .longest = 0.2}, {}, {}},
                   .slots = 2,
                   .until = 200'000};
    run.run();
    EXPECT_NEAR(share(run, 0), 0.25, 0.01);
    EXPECT_NEAR(share(run, 1), 0.25, 0.01);
}

TEST(Fairness, ServiceFollowsTheWeights) {
    Simulation run{.tenants = {{.weight = 1}, {.weight = 2}, {.weight = 5}}, .slots = 3, .until = 20'000};
    run.run();
    EXPECT_NEAR(share(run, 0), 1.0 / 8, 0.002);
    EXPECT_NEAR(share(run, 1), 2.0 / 8, 0.002);
    EXPECT_NEAR(share(run, 2), 5.0 / 8, 0.002);
}

// The scripts against the account: whatever is done, both choose one of the least served, refuse the same removals and
// charge the same.
task<> compare_with_scripts(Loop& loop) {
    auto const client = co_await redis::connect(loop, test_support::redis().url());
    Lane const lane{.name = "work", .queues = {"agent-jobs", "github", "billing"}};
    Index index(*client, lane, lane.queues, "{" + OrganizationId::make().to_string() + "}");
    std::mt19937 dice(20'261'125);
    std::vector<OrganizationId> ids;
    std::map<OrganizationId, int> numbers;
    Account account;
    std::vector<Admission> admissions;
    for (int i = 0; i < 12; ++i) {
        ids.push_back(OrganizationId::make());
        numbers[ids.back()] = i;
        account.set_weight(i, 1 + i % 3);
        admissions.push_back({.organization = ids.back(), .weight = static_cast<double>(1 + i % 3)});
    }
    co_await index.admit(std::move(admissions));
    auto const queue_number = [&](std::string const& name) {
        return static_cast<int>(std::ranges::find(lane.queues, name) - lane.queues.begin());
    };
    struct Open {
        Turn turn;
        Account::Pick pick;
    };
    std::vector<Open> open;
    int refusals = 0, picks = 0;
    for (int step = 0; step < 6000; ++step) {
        auto const what = dice() % 8;
        if (what < 2) {
            auto const organization = dice() % ids.size();
            auto const queue = dice() % lane.queues.size();
            co_await index.signal({{ids[organization], lane.queues[queue]}});
            account.signal(static_cast<int>(organization), static_cast<int>(queue));
        } else if (what < 5 && open.size() < 8) {
            auto const low = account.lowest();
            auto turn = co_await index.pick({.tiers = {Tier::free}}, 30s);
            EXPECT_EQ(turn.has_value(), low.has_value());
            if (!turn) continue;
            ++picks;
            auto const number = numbers.at(turn->member.organization);
            auto const queue = queue_number(turn->member.queue);
            EXPECT_TRUE(account.ready(number, queue));
            EXPECT_NEAR(account.tag(number), *low, 1e-6) << "step " << step;
            auto const pick = account.pick(number, queue);
            EXPECT_NEAR(pick.charged, turn->charged, 1e-9);
            open.push_back({std::move(*turn), pick});
        } else if (!open.empty()) {
            auto const which = dice() % open.size();
            auto const ended = open[which];
            double const used = static_cast<double>(dice() % 10'000) / 1000;
            bool const empty = dice() % 3 == 0;
            auto const then = empty ? Settlement::Then::empty : Settlement::Then::leave;
            Settlement const end{
                .turn = ended.turn, .used = std::chrono::duration<double>(used), .jobs = 1, .then = then};
            auto const moved = co_await index.settle(end, std::nullopt, 30s);
            bool const settled = account.settle(ended.pick, used, true, empty);
            EXPECT_EQ(moved.refused, !settled) << "step " << step;
            if (settled) open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
            if (!settled) {
                ++refusals;
                open[which].turn.generation = moved.generation;
                auto again = end;
                again.turn = open[which].turn;
                again.then = Settlement::Then::leave;
                co_await index.settle(again, std::nullopt, 30s);
                account.settle(ended.pick, used, true, false);
                open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
            }
        }
        if (testing::Test::HasFailure()) break;
    }
    EXPECT_GT(picks, 1000);
    EXPECT_GT(refusals, 20);
    co_await client->close();
}
TEST(Fairness, TheScriptsDoWhatTheAccountDoes) {
    redis::run([](Loop& loop) { return compare_with_scripts(loop); });
}

}  // namespace
}  // namespace buildplan::queue::fair
