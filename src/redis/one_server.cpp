#include "redis/router.hpp"

namespace buildplan::redis {
namespace {

class OneServer final : public Router {
public:
    explicit OneServer(std::shared_ptr<LinkContext> const& context)
        : link_(std::make_shared<Link>(context, context->options.endpoints.at(0))) {
        link_->start();
    }
    std::shared_ptr<Link> route(Command const&) override { return link_; }
    Endpoint locate(std::string_view) const override { return link_->endpoint(); }
    Turn redirect(Value const&, Link const&) override { return {}; }
    bool send(Command command) override {
        if (!link_->takes()) return false;
        link_->submit(command);
        return true;
    }
    bool available() const noexcept override { return link_->up(); }
    task<bool> connected(Clock::time_point until) override { return link_->wait_up(until); }
    task<> drain() override { return link_->drain(); }
    void stop() override { link_->stop(); }

private:
    std::shared_ptr<Link> link_;
};

}  // namespace

std::shared_ptr<Router> route_to_one(std::shared_ptr<LinkContext> const& context) {
    return std::make_shared<OneServer>(context);
}

}  // namespace buildplan::redis
