#include "redis/client.hpp"

#include <boost/system/system_error.hpp>

#include "redis/router.hpp"

namespace buildplan::redis {
namespace {

std::chrono::milliseconds patience_of(Command const& command, Options const& options) {
    return command.patience().count() > 0 ? command.patience() : options.timeout;
}

class BlockingLink final : public Blocking {
public:
    BlockingLink(std::shared_ptr<LinkContext> context, std::shared_ptr<Router> router, std::string key)
        : context_(std::move(context)), router_(std::move(router)), key_(std::move(key)) {}
    ~BlockingLink() override { leave(); }

    task<Value> command(Command command, std::chrono::milliseconds blocks) override {
        command.within(blocks + std::chrono::seconds{1});
        for (unsigned round = 1;; ++round) {
            auto const where = router_->locate(key_);
            if (!link_ || link_->endpoint() != where) {
                leave();
                link_ = std::make_shared<Link>(context_, where);
                link_->start();
            }
            auto const link = link_;
            if (!co_await link->wait_up(Clock::now() + context_->options.connect_timeout)) {
                router_->lost();
                leave();  // it may be elsewhere by the next time
                throw Unavailable("Redis is not connected", Unavailable::Sent::no);
            }
            Value reply;
            try {
                link->require();
                reply =
                    co_await completed<Value>([&](Completion<Value> done) { link->submit(command, std::move(done)); });
            } catch (...) {
                leave();
                router_->lost();
                throw;
            }
            if (!reply.is_error()) co_return reply;
            bool const unknown_script = command.script() && reply.error_code() == "NOSCRIPT";
            if (round >= 5 || !(unknown_script || router_->redirect(reply, *link).again)) throw ReplyError(reply);
        }
    }

private:
    void leave() {
        if (auto const link = std::exchange(link_, nullptr)) link->stop();
    }

    std::shared_ptr<LinkContext> context_;
    std::shared_ptr<Router> router_;
    std::string key_;
    std::shared_ptr<Link> link_;
};

class RoutedClient final : public Client {
public:
    using Client::command;
    RoutedClient(Loop& loop, Options options)
        : context_(std::make_shared<LinkContext>(loop, std::move(options))),
          router_(context_->options.cluster ? route_in_cluster(context_) : route_to_one(context_)) {}
    ~RoutedClient() override { router_->stop(); }

    task<Value> command(Command command) override {
        auto const router = router_;  // we may be gone when the answer comes
        auto const until = Clock::now() + patience_of(command, context_->options);
        Job job{.command = &command};
        if (!command.is_idempotent()) job.target = router->route(command);
        if (job.target) {  // the usual way, with one allocation less
            auto const link = job.target;
            link->require();
            job.reply =
                co_await completed<Value>([&](Completion<Value> done) { link->submit(command, std::move(done)); });
            if (!job.reply.is_error()) co_return std::move(job.reply);
            auto turn = router->redirect(job.reply, *link);
            if (command.script() && job.reply.error_code() == "NOSCRIPT") turn = {.again = true, .target = link};
            if (!turn.again) throw ReplyError(job.reply);
            if (turn.later) co_await sleep_for(std::chrono::milliseconds{10});
            job.target = std::move(turn.target);
            job.asking = turn.asking;
        }
        co_await settle(router, std::span(&job, 1), until);
        if (job.reply.is_error()) throw ReplyError(job.reply);
        co_return std::move(job.reply);
    }

    task<std::vector<Value>> pipeline(std::vector<Command> commands) override {
        std::vector<Value> replies;
        if (commands.empty()) co_return replies;
        auto const router = router_;
        std::vector<Job> jobs;
        jobs.reserve(commands.size());
        std::chrono::milliseconds patience{0};
        for (auto const& command : commands) {
            jobs.push_back({.command = &command});
            patience = std::max(patience, patience_of(command, context_->options));
        }
        co_await settle(router, jobs, Clock::now() + patience);
        replies.reserve(jobs.size());
        for (auto& job : jobs) replies.push_back(std::move(job.reply));
        co_return replies;
    }

    task<std::vector<Value>> transaction(std::vector<Command> commands) override;

    bool send(Command command) override { return router_->send(std::move(command)); }
    bool available() const noexcept override { return router_->available(); }
    task<bool> connected(std::chrono::milliseconds patience) override {
        auto const router = router_;
        co_return co_await router->connected(Clock::now() + patience);
    }
    std::unique_ptr<Blocking> blocking(std::string key) override {
        return std::make_unique<BlockingLink>(context_, router_, std::move(key));
    }
    task<> close() override {
        auto const router = router_;
        co_await router->drain();
        router->stop();
    }

private:
    std::shared_ptr<LinkContext> context_;
    std::shared_ptr<Router> router_;
};

// All of it goes to one node in one piece. A node that refuses a part of it as not its own has carried out nothing, so
// the whole is sent again to where that part belongs.
task<std::vector<Value>> RoutedClient::transaction(std::vector<Command> commands) {
    auto const router = router_;
    Command const multi("MULTI"), exec("EXEC");
    auto patience = std::chrono::milliseconds{0};
    Command const* keyed = &multi;
    for (auto const& command : commands) {
        if (command.has_key() && !keyed->has_key()) keyed = &command;
        patience = std::max(patience, patience_of(command, context_->options));
    }
    auto const until = Clock::now() + patience;
    for (unsigned round = 1;; ++round) {
        auto const link = router->route(*keyed);
        if (!link) throw Unavailable("no Redis node is known to serve this", Unavailable::Sent::no);
        if (round > 1 && !link->up()) co_await link->wait_up(until);
        link->require(commands.size() + 2);
        auto const flight = std::make_shared<Flight>(commands.size() + 2);
        auto replies = co_await completed<std::vector<Value>>([&](Completion<std::vector<Value>> done) {
            done.on_cancel([flight = flight.get()] {
                auto gone = std::move(flight->done);
                gone.fail(std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)));
            });
            flight->done = std::move(done);
            link->submit(multi, flight, 0);
            for (std::size_t i = 0; i < commands.size(); ++i) link->submit(commands[i], flight, i + 1);
            link->submit(exec, flight, commands.size() + 1);
        });
        if (!replies.back().is_error()) co_return std::move(replies.back().items());
        auto const& first = *std::ranges::find_if(replies, &Value::is_error);
        auto const turn = router->redirect(first, *link);
        if (!turn.again || round >= 8 || Clock::now() >= until) throw ReplyError(first);
        if (turn.later || turn.asking) co_await sleep_for(std::chrono::milliseconds{20} * round);
    }
}

}  // namespace

std::unique_ptr<Client> Client::make(Loop& loop, Options options) {
    return std::make_unique<RoutedClient>(loop, std::move(options));
}

}  // namespace buildplan::redis
