-- Ends a turn, where one is told of, and picks the next, where one is wished for.
--   ARGV[1] queues of the lane     [2] queues that the caller serves     [3] tiers in the order of preference, "" picks
--   nothing     [4] ms that a turn lasts unless it is renewed     [5] 1: nobody idles at the caller's
--   [6] the turn's number     [7] its member     [8] its generation     [9] seconds charged so far
--   [10] seconds used     [11] jobs done     [12] READY EMPTY LATER (at [13] ms from now) or LEAVE: as it is
-- Gives {settled, generation, pick...}. Settled: 0 there was nothing to settle, 1 done, 2 refused: the generation is
-- another one, so look again. A pick is member, tier, number, generation, charge, cap, weight, 1 where others are ready.
local queues = words(ARGV[1])

local function settle()
  local member = ARGV[7]
  local organization, queue = organization_of(member), queue_of(member)
  local standing = ARGV[12]
  local leaves = standing == 'EMPTY' or standing == 'LATER'
  local generation = call('HGET', base .. ':gen', member)
  if leaves and generation and generation ~= ARGV[8] then return 2, generation end
  local tier, weight = account(organization)
  -- A turn that was taken for dead, or is settled for the second time, has been charged.
  if call('ZREM', base .. ':turns', ARGV[6] .. ':' .. member) == 1 then
    call('HDEL', base .. ':visits', ARGV[6])
    local used = tonumber(ARGV[10])
    charge(organization, tier, (used - tonumber(ARGV[9])) / weight, queues)
    if tonumber(ARGV[11]) > 0 then
      local mean_of = tier .. ':' .. queue
      local mean = tonumber(call('HGET', base .. ':mean', mean_of) or used)
      call('HSET', base .. ':mean', mean_of, exact(mean + (used - mean) / 16))
    end
  end
  if standing == 'READY' then
    signal(member, queues)
  elseif leaves then
    if generation then take_out(tier, organization, queue, member) end
    if standing == 'LATER' then call('ZADD', base .. ':due', 'LT', now_ms() + tonumber(ARGV[13]), member) end
  end
  return 1, ''
end

-- The least served of the most preferred tier. Among equals the queues take turns, so that none of one organization
-- is passed over.
local function least_served(served, number)
  for tier in string.gmatch(ARGV[3], '%d') do
    local best, best_tag, best_queue
    for i = 0, #served - 1 do
      local queue = served[(i + number) % #served + 1]
      local head = call('ZRANGE', ready_key(tier, queue), 0, 0, 'WITHSCORES')
      local tag = head[1] and tonumber(head[2])
      if tag and (not best or tag < best_tag) then best, best_tag, best_queue = head[1], tag, queue end
    end
    if best then return tier, best, best_tag, best_queue end
  end
end

local function others_ready(tier, queue, served)
  if call('ZCARD', ready_key(tier, queue)) > 1 then return true end
  for each in string.gmatch(ARGV[3], '%d') do
    for i = 1, #served do
      if (each ~= tier or served[i] ~= queue) and call('EXISTS', ready_key(each, served[i])) == 1 then return true end
    end
  end
  return false
end

local function pick()
  local served = words(ARGV[2])
  local number = next_number()
  local tier, organization, tag, queue = least_served(served, tonumber(string.sub(number, -6)))
  if not tier then
    for each in string.gmatch(ARGV[3], '%d') do
      for i = 1, #served do call('DEL', wake_key(each, served[i])) end
    end
    return
  end
  if tag > floor_of(tier) then call('HSET', base .. ':floor', tier, exact(tag)) end
  local _, weight, cap = account(organization)
  local mean = tonumber(call('HGET', base .. ':mean', tier .. ':' .. queue) or 0.05)
  local member = organization .. ':' .. queue
  charge(organization, tier, mean / weight, queues)
  local now = now_ms()
  call('ZADD', base .. ':turns', now + tonumber(ARGV[4]), number .. ':' .. member)
  call('ZADD', base .. ':since:' .. tier, now, member)
  local others = others_ready(tier, queue, served)
  if others and ARGV[5] == '1' and call('LLEN', wake_key(tier, queue)) == 0 then wake(tier, queue) end
  return member, tier, number, call('HGET', base .. ':gen', member) or '', exact(mean), cap, exact(weight),
    others and 1 or 0
end

local settled, generation = 0, ''
if ARGV[6] ~= '' then
  settled, generation = settle()
  if settled == 2 then return { settled, generation } end
end
if ARGV[3] == '' then return { settled, generation } end
return { settled, generation, pick() }
