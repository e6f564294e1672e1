-- What the scripts of the index share: it is put before each of them.
--
-- Every key lies in one slot: its name is KEYS[1], which carries the hash tag, and a word behind it. All of it is soft
-- state that may be lost at any moment. A member is "ORGANIZATION:queue"; the organization, a UUID, is its first 36
-- characters.
--
--   account       hash organization -> "tier weight cap"; FREE, weight 1 and the tier's cap where it is missing
--   tag           hash organization -> virtual time: seconds of service over weight
--   floor         hash tier -> virtual time of the tier
--   mean          hash "tier:queue" -> seconds that a turn usually takes
--   ready:T:Q     zset organization by tag: has work in queue Q and may be served; T is 0 FREE, 1 PRO, 2 ENTERPRISE
--   since:T       zset member by the time (ms) since when it waits for a turn
--   gen           hash member -> generation, a number that no other signal ever has
--   due           zset member by the time (ms) at which to look again
--   turns         zset "number:member" by the time (ms) at which it expires
--   visits        hash number -> how often an expired turn has been looked after
--   wake:T:Q      list of tokens that idle processes wait for
--   seq           the last number given out
local base = KEYS[1]
local call = redis.call
local tiers = { '0', '1', '2' }
local most_tokens = 64

local function now_us()
  local time = call('TIME')
  return time[1] * 1000000 + time[2]
end
local function now_ms() return math.floor(now_us() / 1000) end

-- Grows from call to call; the clock is in it, so that a number that a failover forgot is not given out again.
local function next_number()
  local number = now_us()
  local last = tonumber(call('GET', base .. ':seq') or 0)
  if number <= last then number = last + 1 end
  local text = string.format('%.0f', number)
  call('SET', base .. ':seq', text)
  return text
end

local function exact(number) return string.format('%.17g', number) end
local function ready_key(tier, queue) return base .. ':ready:' .. tier .. ':' .. queue end
local function wake_key(tier, queue) return base .. ':wake:' .. tier .. ':' .. queue end
local function organization_of(member) return string.sub(member, 1, 36) end
local function queue_of(member) return string.sub(member, 38) end

local function words(text)
  local found = {}
  for word in string.gmatch(text, '[^,]+') do found[#found + 1] = word end
  return found
end

local function account(organization)
  local text = call('HGET', base .. ':account', organization)
  if not text then return '0', 1, '' end
  local tier, weight, cap = string.match(text, '^(%d) (%S+) (%S*)$')
  return tier, tonumber(weight), cap
end

local function floor_of(tier) return tonumber(call('HGET', base .. ':floor', tier) or 0) end

local function wake(tier, queue)
  local key = wake_key(tier, queue)
  if call('LLEN', key) < most_tokens then call('RPUSH', key, '1') end
end

-- Adds to what an organization has had, wherever it is ready.
local function charge(organization, tier, seconds_over_weight, queues)
  if seconds_over_weight == 0 then return end
  local tag = call('HINCRBYFLOAT', base .. ':tag', organization, exact(seconds_over_weight))
  for i = 1, #queues do call('ZADD', ready_key(tier, queues[i]), 'XX', tag, organization) end
end

-- What an organization has had, as it counts from now on: whoever comes back is not owed the time of its absence.
local function tag_to_begin_with(organization, tier, queues)
  for i = 1, #queues do
    local tag = call('ZSCORE', ready_key(tier, queues[i]), organization)
    if tag then return tag end
  end
  local tag = tonumber(call('HGET', base .. ':tag', organization) or 0)
  local floor = floor_of(tier)
  if tag >= floor then return exact(tag) end
  call('HSET', base .. ':tag', organization, exact(floor))
  return exact(floor)
end

-- There may be work: the member is ready from now on, and whoever found it empty before this is not believed.
local function signal(member, queues)
  local organization, queue = organization_of(member), queue_of(member)
  local tier = account(organization)
  call('HSET', base .. ':gen', member, next_number())
  call('ZREM', base .. ':due', member)
  local key = ready_key(tier, queue)
  if not call('ZSCORE', key, organization) then
    call('ZADD', key, tag_to_begin_with(organization, tier, queues), organization)
    call('ZADD', base .. ':since:' .. tier, now_ms(), member)
  end
  wake(tier, queue)
end

local function take_out(tier, organization, queue, member)
  call('ZREM', ready_key(tier, queue), organization)
  call('ZREM', base .. ':since:' .. tier, member)
  call('HDEL', base .. ':gen', member)
end
