#include "features/billing/settings_cache.hpp"

#include "core/json/json.hpp"
#include "core/problem.hpp"
#include "features/billing/queries.gen.hpp"
#include "features/billing/service.hpp"
#include "postgres/pool.hpp"

namespace buildplan::billing {
namespace {

constexpr std::string_view family_name = "org_settings";

// As it lies in Redis: what PostgreSQL said, unread.
struct Stored {
    boost::json::object settings;
    boost::json::object features;
    std::optional<Tier> tier;
    std::optional<Status> status;
    std::optional<CustomLimits> custom_limits;
};
BOOST_DESCRIBE_STRUCT(Stored, (), (settings, features, tier, status, custom_limits))
constexpr auto json_rules(Stored const*) {
    return json::fields(json::field("settings").bytes(1 << 20), json::field("features").bytes(1 << 20));
}

boost::json::object object_of(postgres::Json const& json) {
    auto value = boost::json::parse(json.text);
    return value.is_object() ? std::move(value.as_object()) : boost::json::object{};
}

Stored stored(queries::OrganizationSettings::Row const& row) {
    Stored out{.settings = object_of(row.settings),
               .features = object_of(row.features),
               .tier = {},
               .status = {},
               .custom_limits = {}};
    if (row.tier) out.tier = parse_tier(*row.tier);
    if (row.status) out.status = parse_status(*row.status);
    if (row.custom_limits) out.custom_limits = read_custom_limits(row.custom_limits->text);
    return out;
}

OrganizationSettings settings_of(Stored stored) {
    return {.settings = std::move(stored.settings),
            .features = std::move(stored.features),
            .tier = stored.tier.value_or(Tier::free),
            .status = stored.status.value_or(Status::active),
            .custom_limits = stored.custom_limits.value_or(CustomLimits{})};
}

std::shared_ptr<OrganizationSettings const> read(std::string_view text) {
    try {
        return std::make_shared<OrganizationSettings const>(settings_of(json::decode<Stored>(text)));
    } catch (Problem const&) {
        return nullptr;
    }
}

task<std::optional<std::string>> load(postgres::Pool& pool, std::shared_ptr<Principal const> principal) {
    queries::OrganizationSettings const query;
    auto const row = co_await pool.one(*principal, query);
    if (!row) co_return std::nullopt;
    co_return json::encode(stored(*row));
}

}  // namespace

SettingsCache::SettingsCache(Loop& loop, postgres::Pool& postgres, redis::Cache* cache, Options options)
    : loop_(loop),
      postgres_(postgres),
      cache_(cache),
      options_(options),
      nobodys_(std::make_shared<OrganizationSettings const>()),
      // The cache's own numbers: what is found here is a hit of the same kind.
      hits_(loop.metrics().counter("buildplan_cache_hits_total", "Reads answered without a load.",
                                   {{"cache", family_name}})),
      local_hits_(loop.metrics().counter("buildplan_cache_local_hits_total", "Hits that did not need Redis, either.",
                                         {{"cache", family_name}})) {
    if (cache_) family_ = cache_->family({.name = std::string(family_name), .ttl = redis::data_ttl});
}

task<std::shared_ptr<OrganizationSettings const>> SettingsCache::get(Principal const& principal) {
    if (!principal.has_organization()) co_return nobodys_;
    auto const found = kept_.find(principal.organization());
    if (found != kept_.end() && Clock::now() < found->second.until) {
        hits_.add();
        local_hits_.add();
        co_return found->second.settings;
    }
    auto const before = known(principal.organization());
    auto const forgotten = forgotten_;
    std::shared_ptr<OrganizationSettings const> settings;
    try {
        settings = co_await ask(principal);
    } catch (postgres::Error const&) {
        if (!before) throw;
    } catch (Problem const&) {  // no connection
        if (!before) throw;
    }
    if (!settings) settings = before;
    if (forgotten == forgotten_) keep(principal.organization(), settings);
    co_return settings;
}

task<std::shared_ptr<OrganizationSettings const>> SettingsCache::ask(Principal const& principal) {
    auto const who = std::make_shared<Principal const>(principal);  // the load may go on without its caller
    std::optional<std::string> text;
    if (cache_) {
        auto key = "org:" + std::string(principal.organization_text()) + ":settings";
        auto& pool = postgres_;
        redis::Cache::Loader const loader = [&pool, who] { return load(pool, who); };
        text = co_await cache_->get(*family_, std::move(key), loader);
    } else {
        text = co_await load(postgres_, who);
    }
    if (!text) co_return nobodys_;
    if (auto settings = read(*text)) co_return settings;
    loop_.log().error("the settings of an organization cannot be read",
                      {{"organization", principal.organization_text()}});
    co_return nobodys_;
}

std::shared_ptr<OrganizationSettings const> SettingsCache::known(OrganizationId organization) const {
    auto const found = kept_.find(organization);
    return found == kept_.end() ? nullptr : found->second.settings;
}

void SettingsCache::keep(OrganizationId organization, std::shared_ptr<OrganizationSettings const> settings) {
    auto const now = Clock::now();
    if (kept_.size() >= options_.most_kept && !kept_.contains(organization)) {
        std::erase_if(kept_, [now](auto const& each) { return each.second.until <= now; });
        if (kept_.size() >= options_.most_kept) kept_.clear();
    }
    kept_[organization] = {.settings = std::move(settings), .until = now + options_.keep};
}

task<> SettingsCache::forget(OrganizationId organization) {
    ++forgotten_;
    kept_.erase(organization);
    if (cache_) co_await cache_->invalidate("org:" + organization.to_string() + ":settings");
}

void SettingsCache::forget_soon(OrganizationId organization) { loop_.spawn("forget settings", forget(organization)); }

}  // namespace buildplan::billing
