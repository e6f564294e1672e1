#include "features/billing/service.hpp"

#include "core/json/json.hpp"
#include "core/problem.hpp"
#include "features/billing/queries.gen.hpp"
#include "features/billing/settings_cache.hpp"
#include "postgres/pool.hpp"
#include "redis/client.hpp"
#include "redis/rate.hpp"

namespace buildplan::billing {
namespace {

constexpr std::chrono::milliseconds patience{100};  // with Redis, for what is only shown

template <class Row>
UsagePeriod period_of(Row const& row) {
    return {.period = row.period,
            .requests_created = row.requests_created,
            .agent_minutes = row.agent_minutes,
            .storage_gb = row.storage_gb,
            .api_calls = row.api_calls,
            .github_operations = row.github_operations};
}

std::optional<std::int64_t> count_in(redis::Value const& value) {
    if (value.is_error()) return std::nullopt;
    if (value.is_nil()) return 0;
    std::int64_t count = 0;
    auto const text = value.as_text();
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return std::max<std::int64_t>(count, 0);
}

task<ThisHour> this_hour(redis::Client* redis, std::string_view organization, Limits limits) {
    auto const time = now();
    auto const api = redis::RateWindow::at(time, organization, "api");
    auto const requests = redis::RateWindow::at(time, organization, "requests");
    ThisHour hour{.ends_at = std::chrono::floor<std::chrono::seconds>(time) + api.resets_in,
                  .api = {.used = {}, .limit = limits.api},
                  .requests = {.used = {}, .limit = limits.requests}};
    if (!redis || !redis->available()) co_return hour;
    std::vector<redis::Command> commands{redis::Command("GET", api.key).within(patience),
                                         redis::Command("GET", requests.key).within(patience)};
    try {
        auto const counts = co_await redis->pipeline(std::move(commands));
        // What no limit holds is not counted by the hour.
        if (limits.api != unlimited) hour.api.used = count_in(counts.at(0));
        if (limits.requests != unlimited) hour.requests.used = count_in(counts.at(1));
    } catch (redis::Unavailable const&) {
        hour.api.used = hour.requests.used = std::nullopt;  // cannot be told now
    }
    co_return hour;
}

task<std::shared_ptr<OrganizationSettings const>> settings_of(api::Shard& shard, Principal const& principal) {
    if (shard.settings) co_return co_await shard.settings->get(principal);
    SettingsCache once(shard.loop, shard.postgres, nullptr);
    co_return co_await once.get(principal);
}

}  // namespace

std::optional<CustomLimits> read_custom_limits(std::string_view json) noexcept {
    try {
        return json::decode<CustomLimits>(json);
    } catch (std::exception const&) {
        return std::nullopt;
    }
}

task<std::optional<VersionedSubscription>> get_subscription(postgres::Pool& pool, Principal const& principal) {
    queries::GetSubscription const query;
    auto const row = co_await pool.one(principal, query);
    if (!row) co_return std::nullopt;
    Subscription found{.id = row->id,
                       .tier = parse_tier(row->tier).value_or(Tier::free),
                       .status = parse_status(row->status).value_or(Status::active),
                       .current_period_start = row->period_start,
                       .current_period_end = row->period_end,
                       .custom_limits = {},
                       .limits = {}};
    if (row->custom_limits) found.custom_limits = read_custom_limits(row->custom_limits->text);
    found.limits = limits_of(found.tier, found.status, found.custom_limits.value_or(CustomLimits{}));
    co_return VersionedSubscription{.subscription = found, .version = row->version};
}

task<bool> change_subscription(api::Shard& shard, Actor actor, OrganizationId organization, SubscriptionChange change) {
    std::optional<std::string> custom;
    if (change.custom_limits.has_value()) {
        custom = json::encode(change.custom_limits.value());
        static_cast<void>(json::decode<CustomLimits>(*custom));  // throws for what is no limit
    }
    queries::ChangeSubscription query{.organization_id = organization,
                                      .sets_custom_limits = !change.custom_limits.is_absent()};
    if (change.tier) query.tier = to_string(*change.tier);
    if (change.status) query.status = to_string(*change.status);
    if (custom) query.custom_limits = postgres::JsonView{*custom};
    auto tx = shard.system.begin("change_subscription", actor);
    auto const changed = co_await tx.commit_with(query);
    if (!changed) co_return false;
    if (shard.settings) co_await shard.settings->forget(organization);
    co_return true;
}

void announce_settings_changed(api::Tx& tx, api::Shard& shard, OrganizationId organization) {
    tx.after_commit([settings = shard.settings, organization] {
        if (settings) settings->forget_soon(organization);
    });
}

task<std::int64_t> agent_limit(api::Shard& shard, Principal const& principal) {
    auto const settings = co_await settings_of(shard, principal);
    co_return settings->limits().agents;
}

task<> add_usage(api::Tx& tx, UsageAdded added) {
    queries::AddUsage const query{.requests_created = added.requests_created,
                                  .agent_minutes = added.agent_minutes,
                                  .storage_gb = added.storage_gb,
                                  .github_operations = added.github_operations};
    co_await tx.run(query);
}

task<UsageReport> usage_report(api::Shard& shard, Principal const& principal) {
    queries::CurrentPeriod const ask_period;
    queries::ListUsage const ask_usage{.limit = most_past_periods + 1};
    auto const [now_in, rows] = co_await shard.postgres.pipeline(principal, ask_period, ask_usage);
    if (!now_in) throw problems::not_found();
    auto const settings = co_await settings_of(shard, principal);
    auto const limits = settings->limits();
    UsageReport report{.tier = settings->tier, .limits = limits, .hour = {}, .current = {}, .past = {}};
    report.current.period = now_in->period;
    for (auto const& row : rows) {
        if (row.period == now_in->period) {
            report.current = period_of(row);
        } else if (row.period < now_in->period && std::ssize(report.past) < most_past_periods) {
            report.past.push_back(period_of(row));
        }
    }
    report.hour = co_await this_hour(shard.redis, principal.organization_text(), limits);
    co_return report;
}

}  // namespace buildplan::billing
