#include "producer.hpp"

#include <memory>
#include <random>

#include "postgres/session.hpp"
#include "verdict.hpp"

namespace buildplan::chaos {

using namespace std::chrono_literals;

Producer::Producer(std::string url, std::vector<OrganizationId> organizations, std::size_t jobs, std::uint64_t seed)
    : url_(std::move(url)), organizations_(std::move(organizations)), jobs_(jobs) {
    acknowledged_.reserve(jobs);
    thread_ = std::jthread([this, seed](std::stop_token const& stop) { produce(stop, seed); });
}

Producer::~Producer() = default;

std::vector<std::string> const& Producer::finish() {
    allow(jobs_);
    if (thread_.joinable()) thread_.join();
    return acknowledged_;
}

void Producer::produce(std::stop_token const& stop, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::unique_ptr<postgres::Session> session;
    while (written_ < jobs_ && !stop.stop_requested()) {
        if (written_ >= allowed_) {
            std::this_thread::sleep_for(5ms);
            continue;
        }
        // The first organization has half of all, as one that is noisy.
        auto const& organization = organizations_[random() % 2 == 0 ? 0 : random() % organizations_.size()];
        auto const topic = used_topics[random() % 2];
        auto const count = std::min<std::size_t>(1 + random() % 60, jobs_ - written_);
        bool const changes_its_mind = random() % 20 == 0;
        try {
            if (!session) session = std::make_unique<postgres::Session>(url_);
            session->execute("BEGIN");
            session->query("SELECT set_config('app.current_organization_id', $1, true)", {organization.to_string()});
            auto const rows = session->query(
                "INSERT INTO outbox (organization_id, topic, payload) SELECT $1::uuid, $2, "
                "jsonb_build_object('number', n) FROM generate_series(1, $3::int) n RETURNING id",
                {organization.to_string(), std::string(topic), std::to_string(count)});
            session->execute(changes_its_mind ? "ROLLBACK" : "COMMIT");
            if (changes_its_mind) continue;
            for (auto const& row : rows) acknowledged_.push_back(row.at(0).value());
            written_ += rows.size();
        } catch (std::exception const&) {  // the database is gone, or is not back yet
            session.reset();
            std::this_thread::sleep_for(20ms);
        }
    }
}

}  // namespace buildplan::chaos
