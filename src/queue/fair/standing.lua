-- How the tiers stand.   ARGV[1] queues of the lane
-- Gives for each tier: ms that the longest waiting has waited for a turn, members ready, seconds (text) that the most
-- served is ahead of the least; then members due, turns.
local queues = words(ARGV[1])
local now = now_ms()
local result = {}
for _, tier in ipairs(tiers) do
  local oldest = call('ZRANGE', base .. ':since:' .. tier, 0, 0, 'WITHSCORES')
  result[#result + 1] = oldest[2] and math.max(0, now - tonumber(oldest[2])) or 0
  local count, low, high = 0, nil, nil
  for _, queue in ipairs(queues) do
    local key = ready_key(tier, queue)
    count = count + call('ZCARD', key)
    local first = call('ZRANGE', key, 0, 0, 'WITHSCORES')
    if first[2] then
      local last = call('ZRANGE', key, -1, -1, 'WITHSCORES')
      low = math.min(low or math.huge, tonumber(first[2]))
      high = math.max(high or 0, tonumber(last[2]))
    end
  end
  result[#result + 1] = count
  result[#result + 1] = exact(low and high - low or 0)
end
result[#result + 1] = call('ZCARD', base .. ':due')
result[#result + 1] = call('ZCARD', base .. ':turns')
return result
