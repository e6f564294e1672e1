-- Signals what was to be looked at again by now.   ARGV[1] most
-- Gives {how many, ms until the next, -1 where there is none}.
local now = now_ms()
local members = call('ZRANGEBYSCORE', base .. ':due', '-inf', now, 'LIMIT', 0, ARGV[1])
for i = 1, #members do signal(members[i]) end
local next_one = call('ZRANGE', base .. ':due', 0, 0, 'WITHSCORES')
return { #members, next_one[2] and math.max(0, tonumber(next_one[2]) - now) or -1 }
