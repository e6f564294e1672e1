// Whole workers on a real Redis: what they do with the queues of many organizations, with foreign producers, crashes,
// stops and cancellations.
#include "queue/fair/workers.hpp"

#include <gtest/gtest.h>

#include <map>

#include "queue/fair/signals.hpp"
#include "queue/fair/tenant_queue.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/wire_proxy.hpp"

namespace buildplan::queue::fair {
namespace {

using redis::run;
using redis::wait_until;

// What the handlers of a test did.
struct Diary {
    int done = 0, begun = 0, cancelled = 0;
    std::map<OrganizationId, int> at_work, most_at_work, of;
    std::vector<OrganizationId> order;
    std::chrono::milliseconds takes{0};
};

OrganizationId organization_of(bullmq::Run const& run) {
    auto const prefix = run.keys().prefix();
    return *OrganizationId::parse(prefix.substr(prefix.find('{') + 1, 36));
}

task<boost::json::value> write_down(Diary& diary, bullmq::Run& run) {
    auto const organization = organization_of(run);
    ++diary.begun;
    diary.order.push_back(organization);
    auto& at_work = diary.at_work[organization];
    auto& most = diary.most_at_work[organization];
    most = std::max(most, ++at_work);
    if (diary.takes.count() > 0) {
        try {
            co_await sleep_for(diary.takes);
        } catch (boost::system::system_error const&) {
            ++diary.cancelled;
            --at_work;
            throw;
        }
    }
    --at_work;
    ++diary.of[organization];
    ++diary.done;
    co_return boost::json::value("done");
}

task<std::vector<Admission>> page_of(std::vector<Admission> const& all, std::optional<OrganizationId> after,
                                     std::size_t most) {
    std::vector<Admission> page;
    for (auto const& each : all) {
        if ((!after || *after < each.organization) && page.size() < most) page.push_back(each);
    }
    co_return page;
}

// A client that waits for a machine that is busy with other things.
task<std::unique_ptr<redis::Client>> patient(Loop& loop, std::string url) {
    auto options = redis::Options::parse(url);
    options.timeout = 20s;
    auto client = redis::Client::make(loop, options);
    if (!co_await client->connected(5s)) throw std::runtime_error("no connection to Redis");
    co_return client;
}

// Locks and turns that last long enough for a busy machine, or that run out soon after a crash.
constexpr auto lasting = 5'000ms, brief = 500ms;

// One process, as far as Redis can tell.
struct House {
    House(Loop& loop, redis::Client& client, std::string const& url, std::string slot, WorkersOptions options,
          std::chrono::milliseconds lock = lasting)
        : workers(
              loop, client, redis::Options::parse(url), handlers,
              [this](auto after, auto most) { return page_of(organizations, after, most); },
              quick(std::move(options), std::move(slot), lock)) {
        for (auto const& lane : lanes()) {
            for (auto const& queue : lane.queues) {
                handlers.add(queue, "job",
                             [this](bullmq::Job const&, bullmq::Run& job) { return write_down(diary, job); });
            }
        }
    }
    static WorkersOptions quick(WorkersOptions options, std::string slot, std::chrono::milliseconds lock) {
        options.slot = std::move(slot);
        options.pool.turn_lasts = lock;
        options.lock_duration = lock;
        options.pool.visits_apart = 600ms;
        options.pool.look_at_maxed = 100ms;
        options.pool.poll = 20ms;
        options.watching.lease = 400ms;
        options.watching.confirm_after = 30ms;
        return options;
    }
    Diary diary;
    std::vector<Admission> organizations;
    Handlers handlers;
    Workers workers;
};

std::string new_slot() {
    static int made = 0;
    return fmt::format("{{workers{}}}", ++made);
}

struct Tenants {
    Tenants(redis::Client& client, std::size_t count, std::string slot)
        : index(client, lanes()[0], lanes()[0].queues, std::move(slot)) {
        for (std::size_t i = 0; i < count; ++i) queues.emplace_back(client);
    }
    // As the relay does: into the queue, then into the index.
    task<> add(std::size_t of, int jobs = 1) {
        for (int i = 0; i < jobs; ++i) co_await queues[of].add();
        co_await index.signal({queues[of].member});
    }
    Index index;
    std::vector<TenantQueue> queues;
};

task<> everything_is_done(Loop& loop) {
    auto const url = test_support::redis().url();
    auto const client = co_await patient(loop, url);
    auto const slot = new_slot();
    House house(loop, *client, url, slot, {.concurrency = 8, .watch = false});
    Tenants tenants(*client, 100, slot);
    for (std::size_t i = 0; i < 100; ++i) co_await tenants.add(i, 5);
    house.workers.start();
    co_await wait_until([&] { return house.diary.done == 500; }, "not all jobs are done");
    for (auto const& queue : tenants.queues) EXPECT_EQ(house.diary.of[queue.member.organization], 5);
    // While they idle: from the signal to the handler, without waiting for anything to time out.
    co_await wait_until([&] { return house.workers.idle() == 8; }, "the slots do not come to rest");
    for (int i = 0; i < 5; ++i) {
        co_await sleep_for(20ms);
        auto const begin = std::chrono::steady_clock::now();
        co_await tenants.add(7);
        co_await wait_until([&] { return house.diary.done == 501 + i; }, "nobody wakes");
        EXPECT_LT(redis::milliseconds_since(begin), 900) << "an idle process looks by itself after a second only";
    }
    co_await house.workers.stop(1s);
    EXPECT_EQ((co_await tenants.index.standings()).turns, 0);
    co_await client->close();
}
TEST(Workers, DoTheJobsOfAllOrganizationsAndWakeAtOnceForTheNext) {
    run([](Loop& loop) { return everything_is_done(loop); });
}

task<> all_lanes(Loop& loop) {
    auto const url = test_support::redis().url();
    auto const client = co_await patient(loop, url);
    auto const slot = new_slot();
    House house(loop, *client, url, slot, {.concurrency = 8, .watch = false});
    Signals signals(*client, slot);
    auto const organization = OrganizationId::make();
    co_await signals.admit({{.organization = organization, .tier = Tier::pro}});
    std::vector<Member> members{{organization, "nobodys"}};
    for (auto const name : bullmq::queues::all) {
        TenantQueue queue(*client, std::string(name));
        queue.member.organization = organization;
        queue.keys = queue.member.keys();
        co_await queue.add();
        members.push_back(queue.member);
    }
    co_await signals.signal(members);
    house.workers.start();
    co_await wait_until([&] { return house.diary.done == 7; }, "a queue is not served");
    for (auto const name : bullmq::queues::all) {
        bullmq::QueueKeys const keys(organization, name);
        auto const cap = co_await client->command("HGET", keys[bullmq::QueueKeys::meta], "concurrency");
        EXPECT_EQ(cap.as_text(), "50");
    }
    co_await house.workers.stop(1s);
    co_await client->close();
}
TEST(Workers, ServeAllQueuesOfTheContractAndCapThemByTier) {
    run([](Loop& loop) { return all_lanes(loop); });
}

task<> nobody_starves(Loop& loop) {
    auto const url = test_support::redis().url();
    auto const client = co_await patient(loop, url);
    auto const slot = new_slot();
    House house(loop, *client, url, slot,
                {.queues = {"agent-jobs"}, .tiers = {Tier::free}, .concurrency = 2, .watch = false});
    house.diary.takes = 2ms;
    Tenants tenants(*client, 11, slot);
    co_await tenants.add(0, 1000);
    house.workers.start();
    co_await wait_until([&] { return house.diary.done > 50; }, "nothing is done");
    auto const begin = house.diary.order.size();
    for (std::size_t i = 1; i <= 10; ++i) co_await tenants.add(i, 3);
    co_await wait_until(
        [&] {
            return std::ranges::all_of(std::span(tenants.queues).subspan(1), [&](auto const& queue) {
                return house.diary.of[queue.member.organization] == 3;
            });
        },
        "the small ones are not served");
    auto const first = tenants.queues[0].member.organization;
    auto const meanwhile =
        std::count(house.diary.order.begin() + static_cast<std::ptrdiff_t>(begin), house.diary.order.end(), first);
    EXPECT_LT(meanwhile, 120) << "of 30 jobs of ten others";
    co_await house.workers.stop(1s);
    co_await client->close();
}
TEST(Workers, LetNobodyWaitForTheThousandJobsOfAnother) {
    run([](Loop& loop) { return nobody_starves(loop); });
}

// Turns of quick jobs last 20 ms, which is some 17 of these; but not while somebody else waits.
task<> a_turn_is_cut_short(Loop& loop) {
    auto const url = test_support::redis().url();
    auto const client = co_await patient(loop, url);
    auto const slot = new_slot();
    House house(loop, *client, url, slot, {.concurrency = 1, .watch = false});
    house.diary.takes = 1ms;
    Tenants tenants(*client, 2, slot);
    co_await tenants.add(0, 2'000);
    house.workers.start();
    co_await wait_until([&] { return house.diary.done > 20; }, "nothing is done");
    auto const& them = tenants.queues[1].member.organization;
    std::size_t waited_for = 0;
    constexpr int visits = 30;
    for (int i = 0; i < visits; ++i) {
        co_await sleep_for(std::chrono::milliseconds{3 + 7 * i % 20});  // anywhere in a turn
        co_await tenants.add(1);
        auto const before = house.diary.order.size();
        co_await wait_until([&] { return house.diary.of[them] == i + 1; }, "it has no turn");
        auto const& order = house.diary.order;
        auto const begun = std::find(order.begin() + static_cast<std::ptrdiff_t>(before), order.end(), them);
        waited_for += static_cast<std::size_t>(begun - order.begin()) - before;
    }
    EXPECT_LT(waited_for, 5 * visits) << "half a turn, 8 jobs, is what it is without";
    co_await house.workers.stop(1s);
    co_await client->close();
}
TEST(Workers, CutATurnOfQuickJobsShortForWhoeverWaits) { run(a_turn_is_cut_short); }

task<> caps_hold(Loop& loop) {
    auto const url = test_support::redis().url();
    auto const client = co_await patient(loop, url);
    auto const slot = new_slot();
    House one(loop, *client, url, slot, {.concurrency = 40, .watch = false}),
        two(loop, *client, url, slot, {.concurrency = 40, .watch = false});
    one.diary.takes = two.diary.takes = 5ms;
    Tenants tenants(*client, 2, slot);
    co_await tenants.index.admit(
        {{.organization = tenants.queues[1].member.organization, .tier = Tier::pro, .cap = 3}});
    co_await tenants.add(0, 200);
    co_await tenants.add(1, 60);
    one.workers.start();
    two.workers.start();
    std::int64_t most = 0, most_agreed = 0;
    while (one.diary.done + two.diary.done < 260) {
        most = std::max(most, co_await tenants.queues[0].active());
        most_agreed = std::max(most_agreed, co_await tenants.queues[1].active());
        co_await sleep_for(1ms);
    }
    EXPECT_EQ(most, 10) << "FREE's";
    EXPECT_EQ(most_agreed, 3);
    co_await one.workers.stop(1s);
    co_await two.workers.stop(1s);
    co_await client->close();
}
TEST(Workers, OfSeveralProcessesKeepToTheCapOfEachOrganizationAndUseAllOfIt) {
    run([](Loop& loop) { return caps_hold(loop); });
}

task<> tiers_apart(Loop& loop) {
    auto const url = test_support::redis().url();
    auto const client = co_await patient(loop, url);
    auto const slot = new_slot();
    House house(loop, *client, url, slot, {.queues = {"agent-jobs"}, .concurrency = 8, .watch = false});
    house.diary.takes = 1500ms;
    Tenants tenants(*client, 4, slot);
    auto const pro = tenants.queues[2].member.organization, enterprise = tenants.queues[3].member.organization;
    co_await tenants.index.admit(
        {{.organization = pro, .tier = Tier::pro}, {.organization = enterprise, .tier = Tier::enterprise}});
    house.workers.start();
    co_await tenants.add(0, 50);
    co_await tenants.add(1, 50);
    co_await wait_until([&] { return house.diary.begun >= 4; }, "FREE is not served");
    co_await sleep_for(50ms);
    EXPECT_EQ(house.diary.begun, 4) << "the other slots are not lent";
    auto const begin = std::chrono::steady_clock::now();
    co_await tenants.add(3, 6);
    co_await wait_until([&] { return house.diary.at_work[enterprise] == 4; }, "ENTERPRISE waits for FREE");
    EXPECT_LT(redis::milliseconds_since(begin), 1400) << "its two, and PRO's two while PRO has nothing to do";
    co_await wait_until([&] { return house.diary.of[enterprise] == 4; }, "not done");
    co_await tenants.add(2, 6);
    co_await wait_until([&] { return house.diary.at_work[pro] == 2; }, "PRO waits for the others");
    co_await house.workers.stop(10ms);
    co_await client->close();
}
TEST(Workers, KeepSlotsForEachTier) {
    run([](Loop& loop) { return tiers_apart(loop); });
}

task<> foreign_jobs(Loop& loop) {
    auto const url = test_support::redis().url();
    auto const client = co_await patient(loop, url);
    auto const slot = new_slot();
    House house(loop, *client, url, slot, {.concurrency = 8});
    Tenants tenants(*client, 3, slot);
    for (auto const& queue : tenants.queues) house.organizations.push_back({.organization = queue.member.organization});
    house.workers.start();
    co_await sleep_for(150ms);  // until it listens
    // A marker of old stands, from before anybody listened.
    co_await tenants.queues[0].add();
    co_await wait_until([&] { return house.diary.done == 1; }, "a foreign job is not noticed");
    for (int i = 2; i <= 6; ++i) {
        co_await wait_until([&] { return house.workers.idle() == 8; }, "no rest");
        co_await tenants.queues[0].add();
        co_await wait_until([&] { return house.diary.done == i; },
                            "a marker that stood kept a foreign job from being noticed");
    }
    // The link is down while a burst comes.
    co_await client->command("CLIENT", "KILL", "TYPE", "pubsub");
    for (int i = 0; i < 20; ++i) {
        for (auto& queue : tenants.queues) co_await queue.add();
    }
    co_await wait_until([&] { return house.diary.done == 66; }, "what came while nobody listened is not noticed");
    co_await house.workers.stop(1s);
    co_await client->close();
}
TEST(NastyCase, ForeignJobsAreNoticedThoughAnOldMarkerStoodAndThoughTheLinkWasDownForABurst) {
    run([](Loop& loop) { return foreign_jobs(loop); });
}

task<> audited(Loop& loop) {
    auto const url = test_support::redis().url();
    auto const client = co_await patient(loop, url);
    auto const slot = new_slot();
    House house(loop, *client, url, slot, {.concurrency = 4});
    house.organizations.reserve(300);
    Tenants tenants(*client, 120, slot);
    for (auto const& queue : tenants.queues) house.organizations.push_back({.organization = queue.member.organization});
    std::ranges::sort(house.organizations, {}, &Admission::organization);
    for (std::size_t i = 0; i < 120; i += 3) co_await tenants.queues[i].add();  // nobody listens, nobody signals
    house.workers.start();
    co_await wait_until([&] { return house.diary.done == 40; }, "the audit does not find them");
    metrics::Registry* const registry = &loop.metrics();
    auto const text = metrics::exposition(std::span(&registry, 1));
    EXPECT_NE(text.find("buildplan_queue_audit_repairs_total{lane=\"work\"} 40"), std::string::npos) << text;
    co_await house.workers.stop(1s);
    co_await client->close();
}
TEST(Workers, FindByAuditWhatNobodyTold) {
    run([](Loop& loop) { return audited(loop); });
}

task<> index_wiped(Loop& loop) {
    auto const url = test_support::redis().url();
    auto const client = co_await patient(loop, url);
    auto const slot = new_slot();
    WorkersOptions options{.concurrency = 4};
    options.watching.audit_every = 300ms;
    House house(loop, *client, url, slot, options);
    house.diary.takes = 5ms;
    Tenants tenants(*client, 10, slot);
    for (auto const& queue : tenants.queues) house.organizations.push_back({.organization = queue.member.organization});
    std::ranges::sort(house.organizations, {}, &Admission::organization);
    for (std::size_t i = 0; i < 10; ++i) co_await tenants.add(i, 20);
    house.workers.start();
    for (int i = 0; i < 3; ++i) {
        co_await sleep_for(30ms);
        auto const keys = co_await client->command("KEYS", slot + "*");
        for (auto const& key : keys.items()) co_await client->command("DEL", key.as_text());
    }
    co_await wait_until([&] { return house.diary.done == 200; }, "a wiped index loses work");
    co_await house.workers.stop(1s);
    co_await client->close();
}
TEST(Workers, SurviveAWipedIndex) {
    run([](Loop& loop) { return index_wiped(loop); });
}

task<> stop_in_mid_job(Loop& loop) {
    auto const url = test_support::redis().url();
    auto const client = co_await patient(loop, url);
    auto const slot = new_slot();
    House first(loop, *client, url, slot, {.concurrency = 16, .watch = false});
    House second(loop, *client, url, slot, {.concurrency = 16, .watch = false});
    first.diary.takes = 30s;
    Tenants tenants(*client, 2, slot);
    first.workers.start();
    co_await tenants.add(0, 1);
    co_await tenants.add(1, 1);
    co_await wait_until([&] { return first.diary.begun == 2; }, "not begun");
    auto const begin = std::chrono::steady_clock::now();
    second.workers.start();
    co_await first.workers.stop(20ms);
    EXPECT_EQ(first.diary.cancelled, 2);
    co_await wait_until([&] { return second.diary.done == 2; }, "nobody goes on");
    EXPECT_LT(redis::milliseconds_since(begin), 4000) << "before any lock could run out";
    co_await second.workers.stop(1s);
    co_await client->close();
}
TEST(Workers, HandBackWhatIsNotFinishedWhenTheyStop) {
    run([](Loop& loop) { return stop_in_mid_job(loop); });
}

task<> cancel_one(Loop& loop) {
    auto const url = test_support::redis().url();
    auto const client = co_await patient(loop, url);
    auto const slot = new_slot();
    House house(loop, *client, url, slot, {.concurrency = 16, .watch = false}, brief);
    house.diary.takes = 30s;
    Tenants tenants(*client, 1, slot);
    auto& queue = tenants.queues[0];
    auto const id = co_await queue.add({.attempts = 3});
    co_await tenants.index.signal({queue.member});
    house.workers.start();
    co_await wait_until([&] { return house.diary.begun == 1; }, "not begun");
    co_await sleep_for(700ms);
    EXPECT_EQ(house.diary.cancelled, 0) << "it is longer at work than its lock lasts, which is renewed";
    co_await ask_to_cancel(*client, queue.member, id, "somebody changed his mind");
    co_await wait_until([&] { return house.diary.cancelled == 1; }, "not cancelled");
    co_await wait_until([&] { return house.workers.running() == 0; }, "not finished");
    auto const reason = co_await client->command("HGET", queue.keys.job(id), "failedReason");
    EXPECT_EQ(reason.as_text(), "somebody changed his mind");
    co_await sleep_for(50ms);
    EXPECT_EQ(house.diary.begun, 1) << "and is not tried again";
    co_await house.workers.stop(1s);
    co_await client->close();
}
TEST(Workers, CancelAJobFromAnywhere) {
    run([](Loop& loop) { return cancel_one(loop); });
}

// Answers are lost on the way back, whatever they were the answers to.
task<> cut_again_and_again(Loop& loop, test_support::WireProxy& proxy, std::string socket) {
    auto const client = co_await patient(loop, test_support::redis().url());
    auto const cut = co_await patient(loop, "unix:" + socket);
    auto const slot = new_slot();
    House house(loop, *cut, "unix:" + socket, slot, {.concurrency = 16, .watch = false}, brief);
    house.diary.takes = 2ms;
    Tenants tenants(*client, 20, slot);
    for (std::size_t i = 0; i < 20; ++i) co_await tenants.add(i, 30);
    house.workers.start();
    for (int i = 0; i < 12; ++i) {
        co_await sleep_for(25ms);
        proxy.cut_next_answer();
    }
    // What was fetched by an answer that was lost comes back when its lock has run out.
    for (auto& queue : tenants.queues) {
        for (;;) {
            auto const completed = co_await client->command("ZCARD", queue.keys[bullmq::QueueKeys::completed]);
            if (completed.as_integer() == 30) break;
            if (house.diary.done > 2000) throw std::runtime_error("jobs are done again and again");
            co_await sleep_for(20ms);
        }
        EXPECT_EQ(co_await queue.active(), 0);
        EXPECT_EQ(co_await queue.kind(), Standing::Kind::empty);
    }
    EXPECT_LE(house.diary.done, 600 + 12 * 16) << "nothing is done again that nobody had to doubt of";
    co_await house.workers.stop(1s);
    co_await cut->close();
    co_await client->close();
}
TEST(NastyCase, WorkersWhoseAnswersAreLostFinishEveryJobOnce) {
    auto const folder = test_support::make_temporary_folder("cut");
    test_support::WireProxy proxy(folder, test_support::redis().socket());
    run([&](Loop& loop) { return cut_again_and_again(loop, proxy, (folder / ".s.PGSQL.5432").string()); });
}

task<> in_a_cluster(Loop& loop, std::string url) {
    auto const client = co_await patient(loop, url);
    auto const slot = new_slot();
    House house(loop, *client, url, slot, {.concurrency = 16});
    Tenants tenants(*client, 30, slot);
    for (auto const& queue : tenants.queues) house.organizations.push_back({.organization = queue.member.organization});
    std::ranges::sort(house.organizations, {}, &Admission::organization);
    for (std::size_t i = 0; i < 30; ++i) co_await tenants.add(i, 10);
    house.workers.start();
    co_await wait_until([&] { return house.diary.done == 300; }, "not all jobs are done");
    co_await wait_until([&] { return house.workers.idle() == 16; }, "no rest");
    for (auto& queue : tenants.queues) co_await queue.add();  // on whichever node: its notifications are its own
    co_await wait_until([&] { return house.diary.done == 330; }, "foreign jobs on other nodes are not noticed");
    co_await house.workers.stop(1s);
    co_await client->close();
}
TEST(Workers, WorkInACluster) {
    auto const cluster = test_support::start_redis_cluster(3, 0);
    std::string url = "redis-cluster://";
    for (auto const port : cluster.ports()) url += fmt::format("127.0.0.1:{},", port);
    url.pop_back();
    run([&](Loop& loop) { return in_a_cluster(loop, url); });
}

// A process that works until it is killed.
task<> work_until_killed(Loop& loop, std::string url, std::string slot, int const& tell) {
    auto const client = co_await patient(loop, url);
    House house(loop, *client, url, slot, {.concurrency = 16, .watch = false}, brief);
    house.diary.takes = 30s;
    house.workers.start();
    co_await wait_until([&] { return house.diary.begun == 2; }, "not begun");
    (void)!::write(tell, "y", 1);
    co_await sleep_for(60s);
}

TEST(Workers, TakeOverWhatAKilledProcessHadInItsHands) {
    auto const url = test_support::redis().url();
    auto const slot = new_slot();
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    std::optional<std::vector<OrganizationId>> organizations;
    struct Adding {
        static task<> go(Loop& loop, std::string const& at, std::string const& in,
                         std::optional<std::vector<OrganizationId>>& made) {
            auto const client = co_await patient(loop, at);
            Tenants tenants(*client, 2, in);
            co_await tenants.add(0);
            co_await tenants.add(1);
            made.emplace();
            for (auto const& queue : tenants.queues) made->push_back(queue.member.organization);
            co_await client->close();
        }
        static task<> take_over(Loop& loop, std::string const& at, std::string const& in) {
            auto const client = co_await patient(loop, at);
            House house(loop, *client, at, in, {.concurrency = 16, .watch = false}, brief);
            house.workers.start();
            co_await wait_until([&] { return house.diary.done == 2; }, "the jobs of the dead are not done");
            co_await house.workers.stop(1s);
            co_await client->close();
        }
    };
    run([&](Loop& loop) { return Adding::go(loop, url, slot, organizations); });
    test_support::Forked killed([&] { run([&](Loop& loop) { return work_until_killed(loop, url, slot, ends[1]); }); });
    ::close(ends[1]);
    char answer = 0;
    ASSERT_EQ(::read(ends[0], &answer, 1), 1);
    killed.kill9();
    run([&](Loop& loop) { return Adding::take_over(loop, url, slot); });
    ::close(ends[0]);
}

TEST(Slots, AreSharedOutOverTheTiersThatAProcessServes) {
    using enum Tier;
    std::vector const all{free, pro, enterprise};
    EXPECT_EQ(share_out(8, all), (SlotCounts{{4, 2, 2}}));
    EXPECT_EQ(share_out(3, all), (SlotCounts{{1, 1, 1}}));
    EXPECT_EQ(share_out(2, all), (SlotCounts{{2, 0, 0}}));
    EXPECT_EQ(share_out(0, all), (SlotCounts{{1, 0, 0}}));
    EXPECT_EQ(share_out(5, std::vector{free}), (SlotCounts{{5, 0, 0}}));
    EXPECT_EQ(share_out(5, std::vector{enterprise}), (SlotCounts{{0, 0, 5}}));
    EXPECT_EQ(share_out(5, std::vector{pro}), (SlotCounts{{0, 5, 0}}));
    EXPECT_EQ(share_out(5, std::vector{pro, enterprise}), (SlotCounts{{0, 3, 2}}));
    EXPECT_EQ(tiers_of(SlotClass::enterprise, share_out(8, all), all, 5), (std::vector{enterprise}));
    EXPECT_EQ(tiers_of(SlotClass::pro, share_out(8, all), all, 5), (std::vector{pro, enterprise}));
    EXPECT_EQ(tiers_of(SlotClass::shared, share_out(8, all), all, 5), (std::vector{free, pro, enterprise}));
    EXPECT_EQ(tiers_of(SlotClass::shared, share_out(1, all), all, 1), (std::vector{pro, enterprise, free}))
        << "one slot for all goes round";
}

}  // namespace
}  // namespace buildplan::queue::fair
