#include <fmt/core.h>

#include <stdexcept>
#include <thread>

#include "servers.hpp"

namespace buildplan::test_support {
namespace {

using namespace std::chrono_literals;

constexpr int slots = 16'384;

std::unique_ptr<RedisServer> start_node() {
    RedisWishes wishes;
    wishes.tcp = true;
    auto const bus = free_port();
    wishes.settings = {{"cluster-enabled", "yes"},        {"cluster-port", std::to_string(bus)},
                       {"cluster-node-timeout", "1000"},  {"cluster-allow-replica-migration", "no"},
                       {"repl-diskless-sync-delay", "0"}, {"repl-ping-replica-period", "1"}};
    return start_redis(wishes);
}

// The bus port was free a moment ago, too; somebody may have taken one of the two.
std::unique_ptr<RedisServer> start_node_somewhere() {
    constexpr int attempts = 4;
    for (int attempt = 1;; ++attempt) try {
            return start_node();
        } catch (OperatorError const&) {
            if (attempt == attempts) throw;
        }
}

void expect_ok(RedisServer const& node, std::string const& command) {
    if (auto const answer = node.ask(command); answer != "+OK") throw std::runtime_error(command + ": " + answer);
}

template <class Condition>
void wait_for(Condition condition, char const* what) {
    for (auto const until = std::chrono::steady_clock::now() + 20s; !condition();) {
        if (std::chrono::steady_clock::now() > until) throw std::runtime_error(what);
        std::this_thread::sleep_for(10ms);
    }
}

bool says(RedisServer const& node, char const* command, std::string_view words) {
    return node.ask(command).contains(words);
}

std::uint16_t bus_port(RedisServer const& node) {
    for (auto const& [name, value] : node.server().options().settings)
        if (name == "cluster-port") return static_cast<std::uint16_t>(std::stoi(value));
    return 0;
}

}  // namespace

std::vector<std::uint16_t> RedisCluster::ports() const {
    std::vector<std::uint16_t> found;
    found.reserve(nodes.size());
    for (auto const& node : nodes) found.push_back(node->port());
    return found;
}

RedisCluster start_redis_cluster(int masters, int replicas_each) {
    RedisCluster cluster;
    cluster.masters = masters;
    auto const count = masters * (1 + replicas_each);
    for (int i = 0; i < count; ++i) cluster.nodes.push_back(start_node_somewhere());
    auto const& nodes = cluster.nodes;
    auto const known = fmt::format("cluster_known_nodes:{}\r", count);

    for (int i = 0; i < count; ++i) expect_ok(*nodes[i], fmt::format("CLUSTER SET-CONFIG-EPOCH {}", i + 1));
    for (int i = 0; i < masters; ++i)
        expect_ok(*nodes[i],
                  fmt::format("CLUSTER ADDSLOTSRANGE {} {}", slots * i / masters, slots * (i + 1) / masters - 1));
    // Each is told of each: waiting for gossip would take seconds.
    for (auto const& node : nodes)
        for (auto const& other : nodes)
            if (node != other)
                expect_ok(*node, fmt::format("CLUSTER MEET 127.0.0.1 {} {}", other->port(), bus_port(*other)));
    for (auto const& node : nodes)
        wait_for([&] { return says(*node, "CLUSTER INFO", known) && !says(*node, "CLUSTER NODES", "handshake"); },
                 "the nodes do not find each other");
    for (int i = masters; i < count; ++i) {
        auto const& master = *nodes[(i - masters) / replicas_each];
        expect_ok(*nodes[i], "CLUSTER REPLICATE " + master.ask("CLUSTER MYID"));
    }
    for (auto const& node : nodes)
        wait_for([&] { return says(*node, "CLUSTER INFO", "cluster_state:ok"); }, "the cluster does not come up");
    for (int i = masters; i < count; ++i)
        wait_for([&] { return says(*nodes[i], "INFO replication", "master_link_status:up"); },
                 "a replica does not follow");
    return cluster;
}

}  // namespace buildplan::test_support
