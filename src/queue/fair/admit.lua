-- What organizations pay for.   ARGV[1] queues of the lane     then for each: organization, tier, weight, cap
-- Whoever changes its tier begins at the new tier's virtual time. Gives how many changed.
local queues = words(ARGV[1])
local changed = 0
for i = 2, #ARGV, 4 do
  local organization, tier = ARGV[i], ARGV[i + 1]
  local text = tier .. ' ' .. ARGV[i + 2] .. ' ' .. ARGV[i + 3]
  if call('HGET', base .. ':account', organization) ~= text then
    local before = account(organization)
    call('HSET', base .. ':account', organization, text)
    changed = changed + 1
    if before ~= tier then
      local tag = exact(floor_of(tier))
      call('HSET', base .. ':tag', organization, tag)
      for _, queue in ipairs(queues) do
        local member = organization .. ':' .. queue
        if call('ZREM', ready_key(before, queue), organization) == 1 then
          call('ZADD', ready_key(tier, queue), tag, organization)
          local since = call('ZSCORE', base .. ':since:' .. before, member) or now_ms()
          call('ZREM', base .. ':since:' .. before, member)
          call('ZADD', base .. ':since:' .. tier, since, member)
          wake(tier, queue)
        end
      end
    end
  end
end
return changed
