-- Signals what was to be looked at again by now.   ARGV[1] queues of the lane     [2] most
-- Gives {how many, ms until the next, -1 where there is none}.
local queues = words(ARGV[1])
local now = now_ms()
local members = call('ZRANGEBYSCORE', base .. ':due', '-inf', now, 'LIMIT', 0, ARGV[2])
for i = 1, #members do signal(members[i], queues) end
local next_one = call('ZRANGE', base .. ':due', 0, 0, 'WITHSCORES')
return { #members, next_one[2] and math.max(0, tonumber(next_one[2]) - now) or -1 }
