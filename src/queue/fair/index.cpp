#include "queue/fair/index.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

#include "queue/fair/scripts.hpp"

namespace buildplan::queue::fair {
namespace {

char digit_of(Tier tier) { return static_cast<char>('0' + index_of(tier)); }

Tier tier_of(std::string_view digit) {
    if (digit.size() != 1 || digit[0] < '0' || digit[0] > '2') throw redis::UnexpectedReply("no tier");
    return static_cast<Tier>(digit[0] - '0');
}

Member member_of(std::string_view text) {
    auto member = Member::parse(text);
    if (!member) throw redis::UnexpectedReply("no member of the index");
    return std::move(*member);
}

std::string_view word_of(Settlement::Then then) {
    switch (then) {
        case Settlement::Then::ready:
            return "READY";
        case Settlement::Then::empty:
            return "EMPTY";
        case Settlement::Then::later:
            return "LATER";
        case Settlement::Then::leave:
            break;
    }
    return "LEAVE";
}

Turn read_turn(std::span<redis::Value const> pick) {
    Turn turn{.member = member_of(pick[0].as_text()),
              .tier = tier_of(pick[1].as_text()),
              .number = std::string(pick[2].as_text()),
              .generation = std::string(pick[3].as_text()),
              .charged = pick[4].as_real(),
              .weight = pick[6].as_real(),
              .others_ready = pick[7].as_integer() == 1};
    if (auto const cap = pick[5].as_text(); !cap.empty()) turn.cap = pick[5].as_integer();
    return turn;
}

}  // namespace

Index::Index(redis::Client& client, Lane lane, std::vector<std::string> served, std::string slot)
    : client_(&client),
      lane_(std::move(lane)),
      served_(std::move(served)),
      base_(fmt::format("{}:{}", slot, lane_.name)),
      all_queues_(fmt::format("{}", fmt::join(lane_.queues, ","))),
      served_queues_(fmt::format("{}", fmt::join(served_, ","))) {
    for (auto const& queue : served_) {
        if (std::ranges::find(lane_.queues, queue) == lane_.queues.end()) {
            throw std::invalid_argument(fmt::format("queue {} is not of lane {}", queue, lane_.name));
        }
    }
}

std::string Index::key(std::string_view word) const { return fmt::format("{}:{}", base_, word); }

std::vector<std::string> Index::wake_lists(Tier tier) const {
    std::vector<std::string> keys;
    for (auto const& queue : served_) keys.push_back(fmt::format("{}:wake:{}:{}", base_, digit_of(tier), queue));
    return keys;
}

task<> Index::signal(std::vector<Member> members) {
    if (members.empty()) co_return;
    auto command = scripts().signal.call({base_}, all_queues_);
    for (auto const& member : members) command.arg(member.to_string());
    command.idempotent();
    co_await client_->command(std::move(command));
}

bool Index::send_signal(Member const& member) {
    return client_->send(scripts().signal.call({base_}, all_queues_, member.to_string()));
}

redis::Command Index::turn_command(Settlement const* end, Wish const* wish, std::chrono::milliseconds lasts) const {
    std::string order;
    if (wish) {
        for (auto const tier : wish->tiers) order += digit_of(tier);
    }
    auto command = scripts().turn.call({base_}, all_queues_, served_queues_, order, lasts.count(),
                                       wish && wish->nobody_idles ? 1 : 0);
    if (!end) {
        command.arg("");
        return command;
    }
    command.arg(end->turn.number).arg(end->turn.member.to_string()).arg(end->turn.generation).arg(end->turn.charged);
    command.arg(end->used.count()).arg(end->jobs);
    command.arg(word_of(end->then)).arg(end->look_again.count());
    return command;
}

task<std::optional<Turn>> Index::pick(Wish wish, std::chrono::milliseconds lasts) {
    auto const reply = co_await client_->command(turn_command(nullptr, &wish, lasts));
    if (reply.size() < 10) co_return std::nullopt;
    co_return read_turn(std::span(reply.items()).subspan(2));
}

task<Moved> Index::settle(Settlement end, std::optional<Wish> wish, std::chrono::milliseconds lasts) {
    auto const reply = co_await client_->command(turn_command(&end, wish ? &*wish : nullptr, lasts));
    Moved moved{.refused = reply[0].as_integer() == 2, .generation = std::string(reply[1].as_text()), .next = {}};
    if (reply.size() >= 10) moved.next = read_turn(std::span(reply.items()).subspan(2));
    co_return moved;
}

task<std::vector<bool>> Index::renew(std::vector<Renewal> turns, std::chrono::milliseconds lasts) {
    std::vector<bool> alive;
    if (turns.empty()) co_return alive;
    auto command = scripts().renew.call({base_}, all_queues_, lasts.count());
    for (auto const& turn : turns) command.arg(turn.number).arg(turn.member.to_string()).arg(turn.used.count());
    auto const reply = co_await client_->command(std::move(command));
    for (auto const& each : reply.items()) alive.push_back(each.as_integer() == 1);
    co_return alive;
}

task<std::vector<Lost>> Index::reap(std::size_t most, std::chrono::milliseconds apart) {
    auto const reply = co_await client_->call(scripts().reap, {base_}, all_queues_, most, apart.count());
    std::vector<Lost> lost;
    for (std::size_t i = 0; i + 1 < reply.size(); i += 2) {
        lost.push_back({member_of(reply[i].as_text()), static_cast<int>(reply[i + 1].as_integer())});
    }
    co_return lost;
}

task<Index::Due> Index::due(std::size_t most) {
    auto const reply = co_await client_->call(scripts().due, {base_}, all_queues_, most);
    Due due{.signalled = static_cast<std::size_t>(reply[0].as_integer()), .next = {}};
    if (auto const next = reply[1].as_integer(); next >= 0) due.next = std::chrono::milliseconds{next};
    co_return due;
}

task<std::int64_t> Index::admit(std::vector<Admission> admissions) {
    if (admissions.empty()) co_return 0;
    auto command = scripts().admit.call({base_}, all_queues_);
    for (auto const& each : admissions) {
        auto const digit = digit_of(each.tier);
        command.arg(each.organization.to_string()).arg(std::string_view(&digit, 1)).arg(each.weight);
        command.arg(each.cap ? fmt::format("{}", *each.cap) : std::string());
    }
    command.idempotent();
    auto const reply = co_await client_->command(std::move(command));
    co_return reply.as_integer();
}

task<std::vector<Member>> Index::missing(std::vector<Member> members) {
    std::vector<Member> found;
    if (members.empty()) co_return found;
    auto command = scripts().missing.call({base_});
    for (auto const& member : members) command.arg(member.to_string());
    auto const reply = co_await client_->command(std::move(command));
    for (auto const& each : reply.items()) found.push_back(member_of(each.as_text()));
    co_return found;
}

task<Standings> Index::standings() {
    auto const reply = co_await client_->call(scripts().standing, {base_}, all_queues_);
    Standings all;
    for (std::size_t i = 0; i < tiers.size(); ++i) {
        all.tiers[i] = {.oldest_wait = std::chrono::milliseconds{reply[3 * i].as_integer()},
                        .ready = reply[3 * i + 1].as_integer(),
                        .lead = reply[3 * i + 2].as_real()};
    }
    all.due = reply[3 * tiers.size()].as_integer();
    all.turns = reply[3 * tiers.size() + 1].as_integer();
    co_return all;
}

task<std::int64_t> Index::ready(Tier tier) {
    auto const reply = co_await client_->command("ZCARD", key(fmt::format("since:{}", index_of(tier))));
    co_return reply.as_integer();
}

void Index::hint(Tier tier, std::string_view queue) {
    auto const digit = digit_of(tier);
    client_->send(scripts().hint.call({base_}, std::string_view(&digit, 1), queue));
}

task<> Index::announce(std::string_view process, std::size_t reserved, std::chrono::milliseconds lasts) {
    co_await client_->call(scripts().guarantee, {base_}, "announce", process, reserved, lasts.count());
}

task<Guarantee> Index::promise(OrganizationId organization, std::int64_t slots) {
    auto const id = organization.to_string();
    auto const reply = co_await client_->call(scripts().guarantee, {base_}, "promise", id, slots);
    co_return Guarantee{
        .admitted = reply[0].as_integer() == 1, .surviving = reply[1].as_integer(), .promised = reply[2].as_integer()};
}

}  // namespace buildplan::queue::fair
