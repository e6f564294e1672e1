// The audit of a Watch: what should be in the index against what is.
#include <boost/asio/as_tuple.hpp>

#include "queue/fair/watch.hpp"

namespace buildplan::queue::fair {

using Clock = std::chrono::steady_clock;

task<> Watch::go_round() {
    for (;;) {
        bool const asked = std::exchange(audit_asked_, false);
        bool failed = false;
        try {
            co_await audit(asked ? std::chrono::milliseconds{0} : options_.between_pages);
        } catch (boost::system::system_error const&) {
            throw;  // we are told to stop
        } catch (std::exception const& e) {
            failed = true;
            loop_.log().warning("the audit of the queues failed", {{"error", e.what()}});
        }
        auto const until = Clock::now() + (failed ? options_.lease : options_.audit_every);
        while (!audit_asked_ && Clock::now() < until) co_await audit_now_.wait(until);
    }
}

task<std::size_t> Watch::audit(std::chrono::milliseconds between_pages) {
    std::optional<OrganizationId> after;
    std::size_t repairs = 0;
    for (;;) {
        auto page = co_await organizations_(after, options_.page);
        if (page.empty()) break;
        bool const last = page.size() < options_.page;
        after = page.back().organization;
        repairs += co_await audit_page(std::move(page));
        if (last) break;
        if (between_pages.count() > 0) co_await sleep_for(between_pages);
    }
    co_return repairs;
}

task<std::size_t> Watch::audit_page(std::vector<Admission> page) {
    std::vector<Member> members;
    for (auto const& each : page) {
        for (auto const& queue : index_.lane().queues) members.push_back({each.organization, queue});
    }
    counts_.audited->add(members.size());
    co_await index_.admit(std::move(page));
    auto suspects = co_await unknown_with_work(std::move(members), true);
    if (suspects.empty()) co_return 0;
    // Its producer may be about to signal, or its consumer about to remove.
    co_await sleep_for(options_.confirm_after);
    auto const lost = co_await unknown_with_work(std::move(suspects), false);
    if (lost.empty()) co_return 0;
    counts_.repairs->add(lost.size());
    loop_.log().warning("queues with work were not in the index", {{"count", lost.size()}});
    co_await index_.signal(lost);
    co_return lost.size();
}

task<std::vector<Member>> Watch::unknown_with_work(std::vector<Member> members, bool recover) {
    std::vector<redis::Command> probes;
    for (auto const& member : members) probes.push_back(probe_command(member.keys(), now()));
    auto const replies = co_await client_.pipeline(std::move(probes));
    std::vector<Member> with_work;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (replies[i].is_error()) continue;  // a key of another kind: nobody's but its owner's trouble
        auto const standing = read_standing(replies[i]);
        bool const recovered = recover && standing.active > 0 && co_await jobs_.recover(members[i]);
        if (recovered || standing.kind != Standing::Kind::empty) with_work.push_back(members[i]);
    }
    co_return co_await index_.missing(std::move(with_work));
}

}  // namespace buildplan::queue::fair
