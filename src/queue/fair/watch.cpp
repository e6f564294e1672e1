#include "queue/fair/watch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace buildplan::queue::fair {

using Clock = std::chrono::steady_clock;

struct Watch::Ears {
    explicit Ears(Loop& loop) : work(loop) {}
    std::vector<std::unique_ptr<redis::Subscriber>> subscribers;
    std::vector<redis::Subscriber::Subscription> subscriptions;
    Background work;
};

Watch::Watch(Loop& loop, redis::Client& client, redis::Options redis, Index& index, Jobs& jobs,
             Organizations organizations, WatchOptions options)
    : loop_(loop),
      client_(client),
      redis_(std::move(redis)),
      index_(index),
      jobs_(jobs),
      organizations_(std::move(organizations)),
      options_(std::move(options)),
      counts_(loop.metrics(), index.lane().name),
      audit_now_(loop.executor()),
      something_heard_(loop.executor()),
      work_(loop) {}

Watch::~Watch() = default;

task<bool> Watch::hold_lease() {
    auto const key = index_.key("watch");
    auto const ms = options_.lease.count();
    auto const taken = co_await client_.command("SET", key, options_.process, "NX", "PX", ms);
    if (!taken.is_nil()) co_return true;
    auto const holder = co_await client_.command("GET", key);
    if (holder.is_nil() || holder.as_text() != options_.process) co_return false;
    co_await client_.command("PEXPIRE", key, ms);
    co_return true;
}

// Leads, or stands by.
task<> Watch::lead() {
    for (;;) {
        bool holds = false, known = true;
        try {
            holds = co_await hold_lease();
        } catch (redis::Failure const&) {
            known = false;  // the lease runs on, and so do we
        }
        if (holds && !ears_) {
            ears_ = std::make_unique<Ears>(loop_);
            counts_.leads->set(1);
            loop_.log().info("watches the queues", {{"lane", index_.lane().name}});
            for (auto const& endpoint : redis_.endpoints) {
                auto one = redis_;
                one.endpoints = {endpoint};
                one.cluster = false;
                one.name = "queue-notifications";
                if (options_.enable_notifications)
                    ears_->work.spawn("keyspace notifications", enable_notifications(one));
                auto& subscriber = *ears_->subscribers.emplace_back(std::make_unique<redis::Subscriber>(loop_, one));
                for (auto const& queue : index_.lane().queues) {
                    ears_->subscriptions.push_back(subscriber.psubscribe(
                        fmt::format("__keyspace@{}__:buildplan:{{*}}:{}:marker", one.database, queue),
                        [this](std::string_view channel, std::string_view event) { heard(channel, event); }));
                }
                // What was said before this moment may have been missed.
                ears_->subscriptions.push_back(subscriber.watch([this](bool live) {
                    if (!live) return;
                    audit_asked_ = true;
                    audit_now_.wake();
                }));
            }
            ears_->work.spawn("queue audit", go_round());
            ears_->work.spawn("signals of notifications", signal_heard());
            ears_->work.spawn("how queues stand", tell());
        } else if (known && !holds && ears_) {
            auto const gone = std::move(ears_);
            gone->subscriptions.clear();
            co_await gone->work.stop();
            counts_.leads->set(0);
        }
        co_await sleep_for(options_.lease / 4);
    }
}

task<> Watch::stop() {
    co_await work_.stop();
    if (!ears_) co_return;
    ears_->subscriptions.clear();
    co_await ears_->work.stop();
    ears_.reset();
    counts_.leads->set(0);
    try {
        auto const key = index_.key("watch");
        auto const holder = co_await client_.command("GET", key);
        if (!holder.is_nil() && holder.as_text() == options_.process) co_await client_.command("DEL", key);
    } catch (redis::Failure const&) {
    }
}

// Adds what is missing for the events of sorted sets to be heard, and leaves what else is set.
task<> Watch::enable_notifications(redis::Options of) {
    auto const node = redis::Client::make(loop_, std::move(of));
    std::string error;
    try {
        if (!co_await node->connected(std::chrono::seconds{5})) co_return;
        auto const reply = co_await node->command("CONFIG", "GET", "notify-keyspace-events");
        std::string flags(reply.size() == 2 ? reply[1].as_text() : "");
        auto const has = [&flags](char flag) { return flags.find(flag) != std::string::npos; };
        std::string wanted = flags;
        if (!has('K')) wanted += 'K';
        if (!has('z') && !has('A')) wanted += 'z';
        if (wanted != flags) co_await node->command("CONFIG", "SET", "notify-keyspace-events", wanted);
    } catch (redis::Failure const& e) {
        error = e.what();
    }
    if (!error.empty()) {
        loop_.log().warning(
            "Redis may not be told to notify; jobs of other producers are found by the audit only. Set "
            "notify-keyspace-events to Kz",
            {{"error", error}});
    }
}

void Watch::heard(std::string_view channel, std::string_view event) {
    if (event != "zadd") return;
    auto const member = Member::of_marker(channel.substr(std::min(channel.find("__:") + 3, channel.size())));
    if (!member) return;
    counts_.noticed->add();
    if (heard_.size() >= options_.most_heard) {
        heard_.clear();
        audit_asked_ = true;
        audit_now_.wake();
        return;
    }
    heard_.insert(*member);
    something_heard_.wake();
}

task<> Watch::signal_heard() {
    constexpr std::size_t at_once = 500;
    for (;;) {
        while (heard_.empty()) co_await something_heard_.wait(Clock::now() + std::chrono::seconds{60});
        co_await sleep_for(options_.gather);
        std::vector<Member> members;
        while (!heard_.empty() && members.size() < at_once) {
            members.push_back(std::move(heard_.extract(heard_.begin()).value()));
        }
        bool lost = false;
        try {
            co_await index_.signal(std::move(members));
        } catch (redis::Failure const&) {
            lost = true;
        }
        if (!lost) continue;
        audit_asked_ = true;
        audit_now_.wake();
        co_await sleep_for(std::chrono::milliseconds{100});
    }
}

task<> Watch::tell() {
    for (;;) {
        try {
            auto const standings = co_await index_.standings();
            for (std::size_t i = 0; i < tiers.size(); ++i) {
                auto const& of = standings.tiers[i];
                counts_.tier[i].oldest->set(std::chrono::duration<double>(of.oldest_wait).count());
                counts_.tier[i].ready->set(static_cast<double>(of.ready));
                counts_.tier[i].lead->set(of.lead);
            }
            counts_.due->set(static_cast<double>(standings.due));
            counts_.turns->set(static_cast<double>(standings.turns));
        } catch (redis::Failure const&) {
        }
        co_await sleep_for(options_.lease);
    }
}

}  // namespace buildplan::queue::fair
