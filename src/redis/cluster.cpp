#include "redis/cluster.hpp"

#include <boost/asio/as_tuple.hpp>
#include <set>

namespace buildplan::redis {
namespace {

constexpr auto usual_pause = std::chrono::seconds{30};
// Between two questions, however many ask for them; then longer while the cluster does not get well.
constexpr auto urgent_pause = std::chrono::milliseconds{50}, ill_pause = std::chrono::milliseconds{200};

// A command nobody waits for still follows where its slot has gone.
task<> carry_out(std::shared_ptr<Router> router, Command command, Clock::time_point until) {
    Job job{.command = &command};
    try {
        co_await settle(router, std::span(&job, 1), until);
    } catch (Failure const&) {
        co_return;  // counted where it happened
    }
}

task<> leave(std::shared_ptr<Link> link) {
    co_await link->drain();
    link->stop();
}

}  // namespace

std::shared_ptr<Router> route_in_cluster(std::shared_ptr<LinkContext> context) {
    auto cluster = std::make_shared<Cluster>(std::move(context));
    cluster->start();
    return cluster;
}

Cluster::Cluster(std::shared_ptr<LinkContext> context)
    : context_(std::move(context)), wake_(context_->loop.executor()) {
    owner_.fill(nobody);
}

void Cluster::start() {
    for (auto const& seed : context_->options.endpoints) link_to(seed);
    context_->loop.spawn("redis cluster", keep_learning(shared_from_this()));
}

std::shared_ptr<Link> Cluster::route(Command const& command) {
    if (!command.has_key()) return any_link();
    auto const owner = owner_[slot_of(command.key())];
    if (owner != nobody) return owners_[owner];
    learn_soon();
    return nullptr;
}

Endpoint Cluster::locate(std::string_view key) const {
    auto const owner = owner_[slot_of(key)];
    return owner != nobody ? owners_[owner]->endpoint() : context_->options.endpoints.at(0);
}

Router::Turn Cluster::redirect(Value const& error, Link const& from) {
    auto const code = error.error_code();
    if (code == "MOVED" || code == "ASK") {
        auto const told = read_redirection(error.as_text(), from.endpoint());
        if (!told) return {};
        context_->counts.redirected.add();
        auto target = link_to(told->to);
        if (code == "ASK") return {.again = true, .target = std::move(target), .asking = true};
        auto const known = std::ranges::find(owners_, target);
        owner_[told->slot] = static_cast<std::uint16_t>(known - owners_.begin());
        if (known == owners_.end()) owners_.push_back(target);
        learn_soon();
        return {.again = true, .target = std::move(target)};
    }
    if (code == "TRYAGAIN") return {.again = true, .later = true};
    if (code == "CLUSTERDOWN" || code == "READONLY" || code == "MASTERDOWN") {
        learn_soon();
        return {.again = true, .later = true};
    }
    return {};
}

bool Cluster::send(Command command) {
    auto const link = route(command);
    if (!link || !link->up()) return false;
    auto const until = Clock::now() + context_->options.timeout;
    context_->loop.spawn("redis send", carry_out(shared_from_this(), std::move(command), until));
    return true;
}

std::shared_ptr<Link> Cluster::any_link() {
    auto const count = owners_.size();
    for (std::size_t i = 0; i < count; ++i) {
        auto const& link = owners_[++turn_ % count];
        if (link->up()) return link;
    }
    return nullptr;
}

bool Cluster::available() const noexcept {
    return !draining_ && std::ranges::any_of(owners_, [](auto const& link) { return link->up(); });
}

// Every slot has a master that answers.
bool Cluster::whole() const noexcept {
    return !owners_.empty() && std::ranges::none_of(owner_, [](auto owner) { return owner == nobody; }) &&
           std::ranges::all_of(owners_, [](auto const& link) { return link->up(); });
}

task<bool> Cluster::connected(Clock::time_point until) {
    while (!whole() && !stopped_ && Clock::now() < until) {
        co_await sleep_for(std::min<Clock::duration>(std::chrono::milliseconds{5}, until - Clock::now()));
    }
    co_return whole();
}

task<> Cluster::drain() {
    draining_ = true;
    auto const links = links_;
    for (auto const& [endpoint, link] : links) co_await link->drain();
}

void Cluster::stop() {
    stopped_ = true;
    wake_.cancel();
    for (auto const& [endpoint, link] : links_) link->stop();
}

std::shared_ptr<Link> Cluster::link_to(Endpoint const& endpoint) {
    auto& link = links_[endpoint];
    if (!link) {
        link = std::make_shared<Link>(context_, endpoint);
        link->on_state = [this](bool up) {
            if (!up) learn_soon();
        };
        link->start();
    }
    return link;
}

void Cluster::learn_soon() {
    if (std::exchange(wanted_, true)) return;
    if (!learning_) wake_.cancel();
}

task<> Cluster::keep_learning(std::shared_ptr<Cluster> self) {
    auto pause = urgent_pause;
    while (!self->stopped_) {
        self->wanted_ = false;
        self->learning_ = true;
        bool const learnt = co_await self->learn();
        if (self->stopped_) break;
        // Not whole: ask again soon, unasked, until it is.
        bool const ill = !learnt || !self->whole();
        bool const urgent = ill || self->wanted_;
        pause = ill && !self->wanted_ ? std::min(pause * 2, ill_pause) : urgent_pause;
        self->wake_.expires_after(urgent ? Clock::duration(pause) : Clock::duration(usual_pause));
        self->learning_ = urgent;
        co_await self->wake_.async_wait(asio::as_tuple(use_task));
    }
}

// Asks one node after another until one tells.
task<bool> Cluster::learn() {
    std::vector<std::shared_ptr<Link>> nodes;
    nodes.reserve(links_.size());
    for (auto const& [endpoint, link] : links_) nodes.push_back(link);
    std::ranges::rotate(nodes, nodes.begin() + static_cast<std::ptrdiff_t>(++turn_ % nodes.size()));
    // At the start nobody answers yet; later somebody does, or it is as good as the start.
    if (std::ranges::none_of(nodes, &Link::up)) {
        for (auto const& seed : context_->options.endpoints) link_to(seed);
        co_await nodes.front()->wait_up(Clock::now() + std::chrono::milliseconds{50});
    }
    for (auto const& node : nodes) {
        if (!node->up()) continue;
        std::vector<SlotRange> ranges;
        try {
            auto const question = Command("CLUSTER", "SLOTS").within(std::chrono::milliseconds{500});
            auto const reply =
                co_await completed<Value>([&](Completion<Value> done) { node->submit(question, std::move(done)); });
            if (reply.is_error()) continue;
            ranges = read_slots(reply, node->endpoint());
        } catch (Failure const&) {
            continue;
        }
        if (ranges.empty() || stopped_ || draining_) continue;
        co_await apply(std::move(ranges));
        co_return true;
    }
    co_return false;
}

task<> Cluster::apply(std::vector<SlotRange> ranges) {
    // New nodes get a moment to come up, so that nobody is sent to a link that is not ready.
    auto const until = Clock::now() + std::chrono::milliseconds{300};
    std::set<Endpoint> masters;
    for (auto const& range : ranges) masters.insert(range.master);
    for (auto const& master : masters) link_to(master);
    for (auto const& master : masters) {
        auto const link = link_to(master);
        co_await link->wait_up(until);
    }
    if (stopped_ || draining_) co_return;
    owner_.fill(nobody);
    owners_.clear();
    for (auto const& range : ranges) {
        auto const link = link_to(range.master);
        auto const known = std::ranges::find(owners_, link);
        std::fill(owner_.begin() + range.first, owner_.begin() + range.last + 1,
                  static_cast<std::uint16_t>(known - owners_.begin()));
        if (known == owners_.end()) owners_.push_back(link);
    }
    // Whoever serves nothing any more is left. Seeds, too: they are asked again when nobody else answers.
    std::erase_if(links_, [&](auto const& each) {
        if (masters.contains(each.first)) return false;
        each.second->on_state = nullptr;
        context_->loop.spawn("redis goodbye", leave(each.second));
        return true;
    });
}

}  // namespace buildplan::redis
