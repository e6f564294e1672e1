// What we pack is unpacked by who reads it: Redis's own cmsgpack.
#include "queue/bullmq/pack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "queue/bullmq/test_queue.hpp"

namespace buildplan::queue::bullmq {
namespace {

namespace bj = boost::json;

// %.17g is how Redis hands numbers of Lua on; texts as they are, in hexadecimal, tables in the order of their keys.
redis::Script const& unpacked() {
    static redis::Script const script(R"(
local function show(v)
  if type(v) == 'number' then return string.format('%.17g', v) end
  if type(v) == 'string' then
    return 's' .. string.gsub(v, '.', function(c) return string.format('%02x', string.byte(c)) end)
  end
  if type(v) ~= 'table' then return tostring(v) end
  local keys = {}
  for k in pairs(v) do keys[#keys + 1] = k end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  local out = {}
  for i, k in ipairs(keys) do out[i] = show(k) .. '=' .. show(v[k]) end
  return '{' .. table.concat(out, ',') .. '}'
end
return show(cmsgpack.unpack(ARGV[1])))");
    return script;
}

std::string show(bj::value const& value) {
    switch (value.kind()) {
        case bj::kind::null:
            return "nil";
        case bj::kind::bool_:
            return value.get_bool() ? "true" : "false";
        case bj::kind::string:
            return "s" + to_hex(value.get_string());
        case bj::kind::array:
        case bj::kind::object:
            break;
        default: {
            char text[40];
            std::snprintf(text, sizeof text, "%.17g", value.to_number<double>());
            return text;
        }
    }
    std::map<std::string, std::string> entries;  // Lua drops nil
    if (auto const* object = value.if_object()) {
        for (auto const& [key, each] : *object)
            if (!each.is_null()) entries[std::string(key)] = show(bj::value(key)) + "=" + show(each);
    } else {
        for (std::size_t i = 0; i < value.get_array().size(); ++i)
            if (auto const& each = value.get_array()[i]; !each.is_null())
                entries[std::to_string(i + 1)] = std::to_string(i + 1) + "=" + show(each);
    }
    std::string out = "{";
    for (auto const& [key, entry] : entries) out += (out.size() > 1 ? "," : "") + entry;
    return out + "}";
}

task<> compare(Loop& loop, std::vector<bj::value> const& values, std::vector<std::string>& different) {
    auto const client = co_await test_client(loop);
    std::vector<redis::Command> commands;
    for (auto const& value : values) {
        std::string packed;
        Packer(packed).json(value);
        commands.push_back(unpacked().call({"k"}, packed));
    }
    auto const replies = co_await client->pipeline(std::move(commands));
    for (std::size_t i = 0; i < values.size(); ++i) {
        auto const wanted = show(values[i]);
        if (replies[i].as_text() != wanted)
            different.push_back(bj::serialize(values[i]) + ": " + std::string(replies[i].as_text()) + " != " + wanted);
    }
    co_await client->close();
}

std::vector<std::string> differences(std::vector<bj::value> const& values) {
    std::vector<std::string> different;
    run([&](Loop& loop) { return compare(loop, values, different); });
    return different;
}

bj::value any_value(int depth) {
    switch (*rc::gen::inRange(0, depth > 0 ? 7 : 5)) {
        case 0:
            return nullptr;
        case 1:
            return *rc::gen::arbitrary<bool>();
        case 2:
            return *rc::gen::map(rc::gen::inRange(-53, 53), [](int bits) {
                auto const whole = (std::int64_t{1} << std::abs(bits)) - 1;
                return bits < 0 ? -whole - 1 : whole;
            });
        case 3:
            return static_cast<double>(*rc::gen::arbitrary<std::int32_t>()) / 64;
        case 4:
            return bj::string(*rc::gen::map(rc::gen::inRange<std::size_t>(0, 300),
                                            [](std::size_t size) { return std::string(size, 'x') + "ü"; }));
        case 5: {
            bj::array array;
            auto const size = *rc::gen::inRange(0, 20);
            // Lua's arrays have no holes that count.
            for (int i = 0; i < size; ++i) array.push_back(any_value(depth - 1));
            return array;
        }
        default: {
            bj::object object;
            auto const size = *rc::gen::inRange(0, 20);
            for (int i = 0; i < size; ++i) object["key" + std::to_string(i)] = any_value(depth - 1);
            return object;
        }
    }
}

RC_GTEST_PROP(Pack, RedisUnpacksWhatWasPacked, ()) {
    std::vector<bj::value> values;
    for (int i = 0; i < 50; ++i) values.push_back(any_value(3));
    for (auto const& difference : differences(values)) RC_FAIL(difference);
}

TEST(Pack, NumbersAtTheEdgesOfTheirForms) {
    std::vector<bj::value> values;
    for (std::int64_t const edge : {0L, 127L, 128L, 255L, 256L, 65535L, 65536L, 2147483647L, 2147483648L, 4294967295L,
                                    4294967296L, 1764109300000L, 9007199254740991L}) {
        values.push_back(edge);
        values.push_back(-edge);
        values.push_back(-edge - 1);
    }
    for (double const real : {0.5, -0.25, 1e300, 3.0, -0.0, 4294967296.5}) values.push_back(real);
    EXPECT_THAT(differences(values), testing::IsEmpty());
}

TEST(Pack, LongTextsArraysAndMaps) {
    std::vector<bj::value> values;
    for (std::size_t const size : {15UZ, 16UZ, 31UZ, 32UZ, 255UZ, 256UZ, 65535UZ, 65536UZ, 70000UZ}) {
        values.emplace_back(bj::string(std::string(size, 'x')));
        if (size > 300) continue;
        bj::array array;
        bj::object object;
        for (std::size_t i = 0; i < size; ++i) {
            array.push_back(std::int64_t(i));
            object["k" + std::to_string(i)] = std::int64_t(i);
        }
        values.emplace_back(array);
        values.emplace_back(object);
    }
    EXPECT_THAT(differences(values), testing::IsEmpty());
}

}  // namespace
}  // namespace buildplan::queue::bullmq
