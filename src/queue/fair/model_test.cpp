// The rule of the index, looked at in every order in which things can happen: a small model of producers, workers that
// pick, take, run, probe and settle, and may die at any step, a reaper of turns and a stalled check. What ends with
// work that nobody will ever look at is stranded.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <set>
#include <vector>

namespace buildplan::queue::fair {
namespace {

struct Rules {
    int workers = 2, jobs = 2, cap = 1, crashes = 0;
    bool generation_check = true;
    bool turn_reaper = true;
    bool signal_first = false;        // the producers' order turned round
    bool ready_signals = true;        // whoever probes READY signals
    bool look_at_maxed = false;       // who is maxed is looked at again after a while (`due`)
    int foreign = 0;                  // of the jobs: added by somebody who does not signal
    bool notifications_lost = false;  // and what the notification would have told is lost …
    bool audit = false;               // … but somebody looks at everything now and then
};

enum class At : std::uint8_t { idle, take, run, probe, settle, dead };
enum class Saw : std::uint8_t { nothing, ready, empty, maxed };

struct Worker {
    At at = At::idle;
    Saw saw = Saw::nothing;
    bool held_job = false;  // of one that died
    std::uint8_t generation = 0;
    auto operator<=>(Worker const&) const = default;
};

struct State {
    std::uint8_t waiting = 0, active = 0, generation = 0, to_add = 0, foreign_to_add = 0, unsignalled = 0, crashes = 0;
    std::uint8_t notifications = 0;
    bool ready = false, due = false;
    std::array<Worker, 3> workers{};
    auto operator<=>(State const&) const = default;
};

struct Outcome {
    std::size_t states = 0, ends = 0, stranded = 0;
};

class Model {
public:
    explicit Model(Rules rules) : rules_(rules) {}

    Outcome explore() {
        State start;
        start.to_add = static_cast<std::uint8_t>(rules_.jobs - rules_.foreign);
        start.foreign_to_add = static_cast<std::uint8_t>(rules_.foreign);
        start.crashes = static_cast<std::uint8_t>(rules_.crashes);
        push(start);
        while (!open_.empty()) {
            auto const state = open_.back();
            open_.pop_back();
            auto const before = moves_;
            step(state);
            if (moves_ != before) continue;
            ++outcome_.ends;
            if (state.waiting > 0 || state.active > 0) ++outcome_.stranded;
        }
        outcome_.states = seen_.size();
        return outcome_;
    }

private:
    // Generations matter by whether they are equal; the older ones are renumbered, so that the space is finite.
    static void renumber(State& state) {
        std::set<std::uint8_t> used{state.generation};
        for (auto const& worker : state.workers) used.insert(worker.generation);
        auto const rank = [&](std::uint8_t generation) {
            return static_cast<std::uint8_t>(std::distance(used.begin(), used.find(generation)));
        };
        for (auto& worker : state.workers) worker.generation = rank(worker.generation);
        state.generation = rank(state.generation);
    }
    void push(State state) {
        ++moves_;
        for (auto& worker : state.workers) {
            if (worker.at == At::idle || worker.at == At::dead) worker.generation = state.generation;
            if (worker.at != At::settle) worker.saw = Saw::nothing;
        }
        renumber(state);
        std::sort(state.workers.begin(), state.workers.end());  // they are alike
        if (seen_.insert(state).second) open_.push_back(state);
    }
    static void signal(State& state) {
        state.ready = true;
        state.due = false;
        ++state.generation;
    }
    [[nodiscard]] Saw look(State const& state) const {
        if (state.waiting == 0) return Saw::empty;
        return state.active < rules_.cap ? Saw::ready : Saw::maxed;
    }

    void step(State const& state) {
        producers(state);
        if (state.due) {
            auto next = state;
            signal(next);
            push(next);
        }
        if (rules_.audit && !state.ready && !state.due && state.waiting > 0) {
            auto next = state;
            signal(next);
            push(next);
        }
        for (std::size_t i = 0; i < static_cast<std::size_t>(rules_.workers); ++i) worker(state, i);
    }

    void producers(State const& state) {
        if (state.unsignalled > 0) {
            auto next = state;
            --next.unsignalled;
            if (rules_.signal_first) {
                ++next.waiting;
            } else {
                signal(next);
            }
            push(next);
        }
        if (state.to_add > 0) {
            auto next = state;
            --next.to_add;
            ++next.unsignalled;
            if (rules_.signal_first) {
                signal(next);
            } else {
                ++next.waiting;
            }
            push(next);
        }
        if (state.foreign_to_add > 0) {
            auto next = state;
            --next.foreign_to_add;
            ++next.waiting;
            if (!rules_.notifications_lost) ++next.notifications;
            push(next);
        }
        if (state.notifications > 0) {
            auto next = state;
            --next.notifications;
            signal(next);
            push(next);
        }
    }

    void worker(State const& state, std::size_t i) {
        auto const& now = state.workers[i];
        auto next = state;
        auto& me = next.workers[i];
        switch (now.at) {
            case At::idle:
                if (!state.ready) return;
                me.generation = state.generation;
                me.at = At::take;
                break;
            case At::take:
                me.at = At::probe;
                if (look(state) == Saw::ready) {
                    me.at = At::run;
                    --next.waiting;
                    ++next.active;
                }
                break;
            case At::run:
                --next.active;
                me.at = At::probe;
                break;
            case At::probe:
                me.saw = look(state);
                me.at = At::settle;
                break;
            case At::settle:
                settle(state, next, me);
                break;
            case At::dead:
                if (!rules_.turn_reaper) return;
                if (now.held_job) {
                    --next.active;
                    ++next.waiting;
                }
                me = {};
                signal(next);
                break;
        }
        push(next);
        if (now.at != At::idle && now.at != At::dead && state.crashes > 0) {
            auto died = state;
            --died.crashes;
            died.workers[i] = {.at = At::dead, .held_job = now.at == At::run};
            push(died);
        }
    }

    void settle(State const& state, State& next, Worker& me) const {
        me.at = At::idle;
        if (me.saw == Saw::ready) {
            if (rules_.ready_signals) signal(next);
        } else if (!rules_.generation_check || me.generation == state.generation) {
            next.ready = false;
            if (me.saw == Saw::maxed && rules_.look_at_maxed) next.due = true;
        } else {
            me.at = At::probe;  // refused: look again, with the generation that it was refused by
            me.generation = state.generation;
        }
    }

    Rules rules_;
    std::set<State> seen_;
    std::vector<State> open_;
    std::size_t moves_ = 0;
    Outcome outcome_;
};

Outcome explore(Rules rules) {
    auto const outcome = Model(rules).explore();
    EXPECT_GT(outcome.states, 10u);
    EXPECT_GT(outcome.ends, 0u) << "it must come to an end somewhere";
    return outcome;
}

TEST(FairModel, RemovalWithoutTheGenerationCheckStrandsWork) {
    EXPECT_GT(explore({.generation_check = false}).stranded, 0u);
    EXPECT_GT(explore({.jobs = 4, .cap = 2, .generation_check = false}).stranded, 0u);
}

TEST(FairModel, WithTheGenerationCheckNothingIsEverStranded) {
    for (int workers = 1; workers <= 3; ++workers) {
        for (int jobs = 1; jobs <= 4; ++jobs) {
            for (int cap = 1; cap <= 3; ++cap) {
                auto const outcome = explore({.workers = workers, .jobs = jobs, .cap = cap});
                EXPECT_EQ(outcome.stranded, 0u) << workers << " workers, " << jobs << " jobs, cap " << cap;
            }
        }
    }
}

TEST(FairModel, ACrashStrandsWorkWithoutTheTurnReaper) {
    EXPECT_GT(explore({.crashes = 1, .turn_reaper = false}).stranded, 0u);
}

TEST(FairModel, WithTheTurnReaperNoCrashStrandsWork) {
    for (int crashes = 1; crashes <= 3; ++crashes) {
        for (int cap = 1; cap <= 2; ++cap) {
            auto const outcome = explore({.workers = 3, .jobs = 3, .cap = cap, .crashes = crashes});
            EXPECT_EQ(outcome.stranded, 0u) << crashes << " crashes, cap " << cap;
        }
    }
}

TEST(FairModel, AProducerThatSignalsBeforeItWritesStrandsWork) {
    EXPECT_GT(explore({.signal_first = true}).stranded, 0u);
}

TEST(FairModel, TheSlotThatIsFreedIsToldOfOrLookedFor) {
    EXPECT_EQ(explore({.workers = 3, .jobs = 4, .ready_signals = true}).stranded, 0u);
    EXPECT_GT(explore({.workers = 3, .jobs = 4, .ready_signals = false}).stranded, 0u)
        << "MAXED seen just before the slot was freed";
    EXPECT_EQ(explore({.workers = 3, .jobs = 4, .ready_signals = false, .look_at_maxed = true}).stranded, 0u);
}

TEST(FairModel, JobsOfForeignProducersAreNoticedAndWhereTheNotificationIsLostTheAuditFindsThem) {
    EXPECT_EQ(explore({.workers = 2, .jobs = 3, .foreign = 2}).stranded, 0u);
    EXPECT_GT(explore({.workers = 2, .jobs = 3, .foreign = 2, .notifications_lost = true}).stranded, 0u);
    EXPECT_EQ(explore({.workers = 2, .jobs = 3, .foreign = 2, .notifications_lost = true, .audit = true}).stranded, 0u);
}

}  // namespace
}  // namespace buildplan::queue::fair
