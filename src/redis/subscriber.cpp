#include "redis/subscriber.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <map>
#include <vector>

#include "redis/link.hpp"

namespace buildplan::redis {

struct Subscriber::State : std::enable_shared_from_this<State> {
    struct Listener {
        Handler handle;
        bool listening = true;
    };
    using Listeners = std::map<std::string, std::vector<std::shared_ptr<Listener>>, std::less<>>;

    State(Loop& loop, Options options)
        : context(std::make_shared<LinkContext>(loop, std::move(options))),
          tick(loop.executor()),
          stands(loop.executor()) {}

    void connect();
    void link_changed(bool up);
    void received(Value const& value);
    void deliver(Listeners& listeners, std::string_view name, std::string_view channel, std::string_view message);
    void confirmed();
    void tell(bool now_live);
    Subscription add(Listeners State::* listeners, char const* begin, char const* end, std::string name,
                     Handler handler);
    void remove(Listeners State::* listeners, char const* end, std::string const& name,
                std::shared_ptr<Listener> const& listener);
    static task<> keep_alive(std::shared_ptr<State> self);

    std::shared_ptr<LinkContext> context;
    std::shared_ptr<Link> link;
    std::size_t endpoint = 0;
    Listeners channels, patterns;
    std::map<std::uint64_t, Watcher> watchers;
    std::uint64_t next_watcher = 0;
    std::size_t unconfirmed = 0;  // SUBSCRIBEs of this connection that Redis has not confirmed
    bool standing = false;        // all of them were confirmed once since it came up
    bool heard = false;           // anything, since the last tick
    bool closed = false;
    Timer tick;
    Signal stands;
};

void Subscriber::State::connect() {
    link = std::make_shared<Link>(context, context->options.endpoints.at(endpoint), Link::Mode::listening);
    link->on_state = [this](bool up) { link_changed(up); };
    link->on_push = [this](Value const& value) { received(value); };
    link->start();
}

void Subscriber::State::link_changed(bool up) {
    unconfirmed = 0;
    if (!up) {
        if (std::exchange(standing, false)) tell(false);
        return;
    }
    heard = true;
    for (auto const& [listeners, begin] : {std::pair{&channels, "SUBSCRIBE"}, std::pair{&patterns, "PSUBSCRIBE"}}) {
        for (auto const& [name, _] : *listeners) {
            link->write(Command(begin, name));
            ++unconfirmed;
        }
    }
    if (unconfirmed == 0) confirmed();
}

void Subscriber::State::confirmed() {
    if (unconfirmed > 0) return;
    stands.wake();
    if (!std::exchange(standing, true)) tell(true);
}

void Subscriber::State::tell(bool now_live) {
    auto const all = watchers;
    for (auto const& [id, watcher] : all) {
        if (watchers.contains(id)) watcher(now_live);
    }
}

void Subscriber::State::received(Value const& value) {
    heard = true;
    if (value.is_error()) {
        context->loop.log().warning("Redis refuses a subscription",
                                    {{"redis", context->options.name}, {"error", value.as_text()}});
        return;
    }
    if (!value.is_aggregate() || value.size() < 3) return;  // a PONG
    auto const kind = value[0].as_text();
    if (kind == "message") {
        deliver(channels, value[1].as_text(), value[1].as_text(), value[2].as_text());
    } else if (kind == "pmessage" && value.size() == 4) {
        deliver(patterns, value[1].as_text(), value[2].as_text(), value[3].as_text());
    } else if ((kind == "subscribe" || kind == "psubscribe") && unconfirmed > 0) {
        --unconfirmed;
        confirmed();
    }
}

void Subscriber::State::deliver(Listeners& listeners, std::string_view name, std::string_view channel,
                                std::string_view message) {
    auto const found = listeners.find(name);
    if (found == listeners.end()) return;
    auto const all = found->second;  // handlers may subscribe and unsubscribe
    for (auto const& each : all) {
        if (each->listening) each->handle(channel, message);
    }
}

Subscriber::Subscription Subscriber::State::add(Listeners State::* listeners, char const* begin, char const* end,
                                                std::string name, Handler handler) {
    auto const listener = std::make_shared<Listener>(std::move(handler));
    auto& all = (this->*listeners)[name];
    all.push_back(listener);
    if (all.size() == 1 && link->up()) {
        link->write(Command(begin, name));
        ++unconfirmed;
    }
    Subscription made;
    made.undo_ = [weak = weak_from_this(), listeners, end, name = std::move(name), listener] {
        listener->listening = false;
        if (auto const self = weak.lock()) self->remove(listeners, end, name, listener);
    };
    return made;
}

void Subscriber::State::remove(Listeners State::* listeners, char const* end, std::string const& name,
                               std::shared_ptr<Listener> const& listener) {
    auto const found = (this->*listeners).find(name);
    if (found == (this->*listeners).end()) return;
    std::erase(found->second, listener);
    if (!found->second.empty()) return;
    (this->*listeners).erase(found);
    if (link->up()) link->write(Command(end, name));
}

// A connection that says nothing may be dead without our knowing, so it is asked. In a cluster another node is tried
// when one does not answer: a message goes to all of them.
task<> Subscriber::State::keep_alive(std::shared_ptr<State> self) {
    while (!self->closed) {
        self->tick.expires_after(self->context->options.timeout);
        co_await self->tick.async_wait(asio::as_tuple(use_task));
        if (self->closed) break;
        auto const heard = std::exchange(self->heard, false);
        if (self->link->up()) {
            if (!heard) self->link->drop("Redis does not answer");
            self->link->write(Command("PING"));
        } else if (auto const count = self->context->options.endpoints.size(); count > 1) {
            self->link->stop();
            self->endpoint = (self->endpoint + 1) % count;
            self->connect();
        }
    }
}

Subscriber::Subscriber(Loop& loop, Options options) : state_(std::make_shared<State>(loop, std::move(options))) {
    state_->connect();
    loop.spawn("redis subscriber", State::keep_alive(state_));
}

Subscriber::~Subscriber() { close(); }

void Subscriber::close() {
    state_->closed = true;
    state_->standing = false;
    state_->link->stop();
    state_->tick.cancel();
    state_->stands.wake();
}

Subscriber::Subscription Subscriber::subscribe(std::string channel, Handler handler) {
    return state_->add(&State::channels, "SUBSCRIBE", "UNSUBSCRIBE", std::move(channel), std::move(handler));
}

Subscriber::Subscription Subscriber::psubscribe(std::string pattern, Handler handler) {
    return state_->add(&State::patterns, "PSUBSCRIBE", "PUNSUBSCRIBE", std::move(pattern), std::move(handler));
}

Subscriber::Subscription Subscriber::watch(Watcher watcher) {
    auto const id = state_->next_watcher++;
    state_->watchers.emplace(id, std::move(watcher));
    Subscription made;
    made.undo_ = [weak = state_->weak_from_this(), id] {
        if (auto const state = weak.lock()) state->watchers.erase(id);
    };
    return made;
}

bool Subscriber::live() const noexcept { return state_->standing && state_->unconfirmed == 0; }

task<bool> Subscriber::wait_live(std::chrono::milliseconds patience) {
    auto const state = state_;
    auto const is_live = [&state] { return state->standing && state->unconfirmed == 0; };
    auto const until = Clock::now() + patience;
    while (!is_live() && !state->closed && Clock::now() < until) co_await state->stands.wait(until);
    co_return is_live();
}

Subscriber::Subscription& Subscriber::Subscription::operator=(Subscription&& other) noexcept {
    if (this != &other) {
        end();
        undo_ = std::exchange(other.undo_, nullptr);
    }
    return *this;
}

void Subscriber::Subscription::end() {
    if (auto const undo = std::exchange(undo_, nullptr)) undo();
}

}  // namespace buildplan::redis
