-- Turns that nobody renewed: whoever held them is dead, or has lost its way. Each is visited three times, because a
-- job of a dead worker is found in two passes and whoever makes a pass may die, too. Each visit signals.
--   ARGV[1] queues of the lane     [2] most     [3] ms until the next visit
-- Gives the members, each followed by the number of the visit.
local queues = words(ARGV[1])
local now = now_ms()
local found = {}
for _, turn in ipairs(call('ZRANGEBYSCORE', base .. ':turns', '-inf', now, 'LIMIT', 0, ARGV[2])) do
  local number, member = string.match(turn, '^(%d+):(.*)$')
  local visit = call('HINCRBY', base .. ':visits', number, 1)
  if visit >= 3 then
    call('ZREM', base .. ':turns', turn)
    call('HDEL', base .. ':visits', number)
  else
    call('ZADD', base .. ':turns', now + tonumber(ARGV[3]), turn)
  end
  signal(member, queues)
  found[#found + 1] = member
  found[#found + 1] = visit
end
return found
