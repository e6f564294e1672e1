// Cluster: the router of a Redis Cluster. Knows which master serves which slot, learns it anew when a node redirects,
// disappears or says that the cluster is down, and every half minute; keeps one link to each master.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <vector>

#include "redis/router.hpp"
#include "redis/slots.hpp"

namespace buildplan::redis {

class Cluster final : public Router, public std::enable_shared_from_this<Cluster> {
public:
    explicit Cluster(std::shared_ptr<LinkContext> context);
    void start();

    std::shared_ptr<Link> route(Command const& command) override;
    Endpoint locate(std::string_view key) const override;
    Turn redirect(Value const& error, Link const& from) override;
    void lost() override { learn_soon(); }
    bool send(Command command) override;
    bool available() const noexcept override;
    task<bool> connected(Clock::time_point until) override;
    task<> drain() override;
    void stop() override;

private:
    static constexpr std::uint16_t nobody = 0xFFFF;

    static task<> keep_learning(std::shared_ptr<Cluster> self);
    task<bool> learn();
    task<> apply(std::vector<SlotRange> ranges);
    void learn_soon();
    [[nodiscard]] bool whole() const noexcept;
    std::shared_ptr<Link> link_to(Endpoint const& endpoint);
    std::shared_ptr<Link> any_link();

    std::shared_ptr<LinkContext> context_;
    std::map<Endpoint, std::shared_ptr<Link>> links_;
    std::vector<std::shared_ptr<Link>> owners_;      // that the map points at
    std::array<std::uint16_t, slot_count> owner_{};  // of a slot, in owners_
    std::size_t turn_ = 0;                           // to ask another node each time
    Timer wake_;
    bool wanted_ = false, learning_ = false, stopped_ = false, draining_ = false;
};

}  // namespace buildplan::redis
