#include "verdict.hpp"

#include <fmt/format.h>

#include "queue/bullmq/keys.hpp"

namespace buildplan::chaos {
namespace {

using queue::bullmq::QueueKeys;

constexpr int most_lines = 10;  // of one kind

// The first lines that a query answers with, and how many there are.
void note(std::vector<std::string>& wrong, postgres::Session& superuser, std::string_view what, std::string const& sql,
          std::initializer_list<std::string> parameters = {}) {
    auto const rows = superuser.query(sql, parameters);
    for (std::size_t i = 0; i < rows.size() && i < most_lines; ++i)
        wrong.push_back(fmt::format("{}: {}", what, rows[i][0].value_or("")));
    if (rows.size() > most_lines) wrong.push_back(fmt::format("{}: {} in all", what, rows.size()));
}

std::int64_t number(test_support::RedisServer const& redis, std::string_view command, std::string_view key) {
    auto const answer = redis.ask(fmt::format("{} {}", command, key));
    if (answer.size() < 2 || (answer[0] != ':' && answer[0] != '*'))  // a number, or how many elements
        throw std::runtime_error(fmt::format("{} {}: {}", command, key, answer));
    return std::stoll(answer.substr(1));
}

}  // namespace

void make_effects(postgres::Session& superuser) {
    superuser.execute(R"(
        DROP TABLE IF EXISTS chaos_effects;
        CREATE TABLE chaos_effects (organization_id uuid NOT NULL, job_id uuid NOT NULL,
                                    tried bigint GENERATED ALWAYS AS IDENTITY);
        ALTER TABLE chaos_effects ENABLE ROW LEVEL SECURITY;
        ALTER TABLE chaos_effects FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant_isolation ON chaos_effects TO buildplan_app
            USING (organization_id = current_setting('app.current_organization_id')::uuid)
            WITH CHECK (organization_id = current_setting('app.current_organization_id')::uuid);
        GRANT INSERT ON chaos_effects TO buildplan_app;)");
}

std::vector<std::string> wrong_in_the_ledger(postgres::Session& superuser, std::span<std::string const> acknowledged) {
    std::vector<std::string> wrong;
    note(wrong, superuser, "not there once",
         "SELECT format('job %s has %s effects', o.id, count(e.job_id)) FROM outbox o "
         "LEFT JOIN chaos_effects e ON e.organization_id = o.organization_id AND e.job_id = o.id "
         "WHERE o.topic ^@ 'chaos.' GROUP BY o.organization_id, o.id HAVING count(e.job_id) <> 1");
    note(wrong, superuser, "an effect of nothing",
         "SELECT format('job %s of %s', e.job_id, e.organization_id) FROM chaos_effects e WHERE NOT EXISTS "
         "(SELECT FROM outbox o WHERE o.organization_id = e.organization_id AND o.id = e.job_id "
         "AND o.topic ^@ 'chaos.')");
    note(wrong, superuser, "not done",
         "SELECT format('job %s, %s', id, CASE WHEN failed_at IS NOT NULL THEN 'dead: ' || coalesce(error, 'for no "
         "reason') WHEN relayed_at IS NULL THEN 'waiting' ELSE 'owed' END) "
         "FROM outbox WHERE topic ^@ 'chaos.' AND (done_at IS NULL OR failed_at IS NOT NULL)");
    note(wrong, superuser, "acknowledged and not there",
         "SELECT id FROM unnest($1::uuid[]) AS told (id) WHERE NOT EXISTS "
         "(SELECT FROM outbox o WHERE o.id = told.id AND o.topic ^@ 'chaos.')",
         {fmt::format("{{{}}}", fmt::join(acknowledged, ","))});
    return wrong;
}

std::vector<std::string> left_in_the_queues(test_support::RedisServer const& redis,
                                            std::span<OrganizationId const> organizations) {
    struct Kind {
        QueueKeys::Type type;
        std::string_view count;
    };
    constexpr Kind kinds[] = {{QueueKeys::wait, "LLEN"},         {QueueKeys::paused, "LLEN"},
                              {QueueKeys::active, "LLEN"},       {QueueKeys::delayed, "ZCARD"},
                              {QueueKeys::prioritized, "ZCARD"}, {QueueKeys::stalled, "SCARD"},
                              {QueueKeys::failed, "ZCARD"},      {QueueKeys::waiting_children, "ZCARD"}};
    std::vector<std::string> left;
    auto const add = [&](std::string_view key, std::int64_t count) {
        if (count != 0) left.push_back(fmt::format("{}: {}", key, count));
    };
    for (auto const& organization : organizations) {
        for (auto const queue : used_queues) {
            QueueKeys const keys(organization, queue);
            for (auto const& [type, count] : kinds) add(keys[type], number(redis, count, keys[type]));
            std::string const id(36, '?');  // any job's: no other key's last part is so long
            add("locks of " + std::string(keys.qualified_name()), number(redis, "KEYS", keys.job(id, "lock")));
            add("hashes of no job of " + std::string(keys.qualified_name()),
                number(redis, "KEYS", keys.job(id)) - number(redis, "ZCARD", keys[QueueKeys::completed]) -
                    number(redis, "ZCARD", keys[QueueKeys::failed]));
        }
    }
    return left;
}

}  // namespace buildplan::chaos
