#include "features/audit/chain.hpp"

#include "core/crypto.hpp"
#include "fmt/core.h"

namespace buildplan::audit {
namespace {

class RecordBytes {
public:
    explicit RecordBytes(std::uint32_t fields) { put(fields); }

    void field(std::uint32_t type, std::string_view bytes) {
        put(type);
        put(static_cast<std::uint32_t>(bytes.size()));
        out_ += bytes;
    }
    void null(std::uint32_t type) {
        put(type);
        put(0xffffffffU);
    }
    void uuid(Uuid const& id) {
        field(postgres::oid::uuid, {reinterpret_cast<char const*>(id.bytes.data()), id.bytes.size()});
    }
    void text(std::string_view value) { field(postgres::oid::bytea, value); }
    void text(std::optional<std::string> const& value) {
        if (!value) return null(postgres::oid::bytea);
        text(std::string_view{*value});
    }
    void number(std::uint32_t type, std::int64_t value) {
        put(type);
        put(8);
        auto const bits = static_cast<std::uint64_t>(value);
        put(static_cast<std::uint32_t>(bits >> 32));
        put(static_cast<std::uint32_t>(bits));
    }
    [[nodiscard]] std::string_view bytes() const noexcept { return out_; }

private:
    void put(std::uint32_t value) {
        for (int shift = 24; shift >= 0; shift -= 8) out_ += static_cast<char>(value >> shift & 0xff);
    }
    std::string out_;
};

constexpr Timestamp postgres_epoch = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};

// Of any time, infinities (which nobody but a forger writes) too: unsigned numbers wrap around.
std::int64_t microseconds_of(Timestamp at) {
    auto const count = [](Timestamp time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); };
    return static_cast<std::int64_t>(count(at) - count(postgres_epoch));
}

}  // namespace

std::string hash_of(queries::ChainRow const& row) {
    RecordBytes record(15);
    record.uuid(row.organization_id.value);
    record.uuid(row.id.value);
    record.number(postgres::oid::int8, row.seq);
    record.number(postgres::oid::timestamptz, microseconds_of(row.at));
    record.text(std::string_view{row.actor_kind});
    if (row.actor_id) {
        record.uuid(row.actor_id->value);
    } else {
        record.null(postgres::oid::uuid);
    }
    record.text(row.actor_name);
    record.text(std::string_view{row.action});
    record.text(std::string_view{row.target_kind});
    record.text(row.target_id);
    record.text(row.before);
    record.text(row.after);
    record.text(row.address);
    record.text(row.request_id);
    record.text(std::string_view{row.previous_hash});
    return sha256(record.bytes());
}

void ChainCheck::fail(std::int64_t seq, std::string problem) {
    if (!broken_) broken_ = Break{seq, std::move(problem)};
}

void ChainCheck::expect(std::int64_t seq, std::string hash) {
    expected_seq_ = seq;
    expected_hash_ = std::move(hash);
}

void ChainCheck::next(queries::ChainRow const& row) {
    if (broken_) return;
    if (row.organization_id != organization_) return fail(row.seq, "it belongs to another organization");
    if (row.seq != seq_ + 1) return fail(seq_ + 1, fmt::format("it is missing: the next one is {}", row.seq));
    if (row.previous_hash != hash_) return fail(row.seq, "the hash of the entry before it is another one");
    if (row.hash != hash_of(row)) return fail(row.seq, "its contents and its hash do not fit");
    if (row.seq == expected_seq_ && row.hash != expected_hash_) return fail(row.seq, "its hash was another one before");
    seq_ = row.seq;
    previous_hash_ = row.previous_hash;
    hash_ = row.hash;
}

void ChainCheck::end(std::optional<queries::ChainHead::Row> const& head) {
    if (broken_) return;
    if (seq_ < expected_seq_) return fail(seq_ + 1, fmt::format("it is missing: there were {} before", expected_seq_));
    if (!head) {
        if (seq_ > 0) fail(seq_, "it is the last one, and the chain has no head that says so");
        return;
    }
    if (head->seq > seq_) return fail(seq_ + 1, fmt::format("it is missing: there should be {}", head->seq));
    if (head->seq < seq_) return fail(head->seq + 1, fmt::format("there should be {} only", head->seq));
    if (head->hash != hash_ || (seq_ > 0 && head->previous_hash != previous_hash_))
        fail(seq_, "it is the last one, and the head of the chain has another hash");
}

}  // namespace buildplan::audit
