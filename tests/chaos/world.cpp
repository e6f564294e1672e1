#include "world.hpp"

#include <fmt/format.h>

#include <csignal>
#include <thread>

#include "local/files.hpp"
#include "postgres/migrations.hpp"
#include "postgres/roles.hpp"
#include "verdict.hpp"

namespace buildplan::chaos {
namespace {

using namespace std::chrono_literals;

// The newest part of the append-only file.
std::filesystem::path newest_part(std::filesystem::path const& data) {
    std::filesystem::path newest;
    for (auto const& entry : std::filesystem::directory_iterator(data / "appendonlydir")) {
        auto const& path = entry.path();
        if (!path.native().ends_with(".incr.aof")) continue;
        if (newest.empty() || entry.last_write_time() > std::filesystem::last_write_time(newest)) newest = path;
    }
    return newest;
}

}  // namespace

Servers& Servers::get() {
    static Servers servers;
    return servers;
}

Servers::Servers()
    : postgres_(test_support::start_postgres({.settings = {{"fsync", "on"},
                                                           {"full_page_writes", "on"},
                                                           {"synchronous_commit", "on"},
                                                           {"max_connections", "300"}}})),
      redis_(test_support::start_redis({.settings = {{"appendfsync", "everysec"}}})) {
    postgres::bootstrap_roles(postgres_->url());
    postgres::migrate(postgres_->url(local::owner_role));
}

void Servers::kill_postgres(bool alone) {
    if (!alone) return postgres_->kill9();
    auto& server = postgres_->server();
    ::kill(server.pid(), SIGKILL);
    if (!server.ended_within(10s)) throw std::runtime_error("the postmaster does not die");
}

void Servers::kill_redis(std::chrono::milliseconds lost) {
    auto const& data = redis_->server().options().data;
    auto const part = newest_part(data);
    auto const kept = local::size_or_zero(part);
    if (lost > 0ms) std::this_thread::sleep_for(lost);
    redis_->kill9();
    // Where it was written anew meanwhile, that was a whole fsync.
    if (lost > 0ms && newest_part(data) == part && local::size_or_zero(part) > kept)
        std::filesystem::resize_file(part, kept);
}

Crew::Crew(CrewOptions options) : options_(options), workers_(options.workers), relays_(options.relays) {
    auto const folder = test_support::make_temporary_folder("crew");
    for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i].log = folder / fmt::format("worker-{}.log", i);
    for (std::size_t i = 0; i < relays_.size(); ++i) relays_[i].log = folder / fmt::format("relay-{}.log", i);
    for (std::size_t i = 0; i < workers_.size(); ++i) start(Victim::worker, i);
    for (std::size_t i = 0; i < relays_.size(); ++i) start(Victim::relay, i);
}

Crew::Member& Crew::member(Victim victim, std::size_t which) {
    auto& all = victim == Victim::worker ? workers_ : relays_;
    return all.at(which % all.size());
}

void Crew::start(Victim victim, std::size_t which) {
    auto& who = member(victim, which);
    if (who.process) return;
    auto& servers = Servers::get();
    local::ChildOptions child;
    child.command = {CHAOS_WORKER,
                     victim == Victim::worker ? "work" : "relay",
                     servers.postgres().url(local::app_role),
                     servers.postgres().url(local::system_role),
                     servers.redis().url(),
                     fmt::format("slow={}", options_.slow)};
    if (options_.careless) child.command.emplace_back("careless");
    child.log = who.log;
    who.process = std::make_unique<local::ChildProcess>(child);
}

void Crew::note_end(Member& who, local::ExitStatus status) {
    auto const size = local::size_or_zero(who.log);
    deserters_.push_back(fmt::format("{} ended by itself: {}\n{}", who.log.filename().native(), status.describe(),
                                     local::read_from(who.log, size > 2000 ? size - 2000 : 0, 2000)));
}

void Crew::kill(Victim victim, std::size_t which) {
    auto& who = member(victim, which);
    if (!who.process) return;
    if (auto const ended = who.process->wait_for(0ms)) {
        note_end(who, *ended);
    } else {
        who.process->signal(SIGKILL);
        who.process->wait();
    }
    who.process.reset();
}

std::vector<std::string> Crew::deserters() {
    for (auto* const all : {&workers_, &relays_}) {
        for (auto& who : *all) {
            if (!who.process) continue;
            if (auto const ended = who.process->wait_for(0ms)) {
                note_end(who, *ended);
                who.process.reset();
            }
        }
    }
    return deserters_;
}

}  // namespace buildplan::chaos
