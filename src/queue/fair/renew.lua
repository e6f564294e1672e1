-- Turns that go on are charged for the time they took, and live longer.
--   ARGV[1] queues of the lane     [2] ms     then for each turn: number, member, seconds to charge
-- Gives 1 for each that is still there, 0 for one that was taken for dead.
local queues = words(ARGV[1])
local expires = now_ms() + tonumber(ARGV[2])
local alive = {}
for i = 3, #ARGV, 3 do
  local turn = ARGV[i] .. ':' .. ARGV[i + 1]
  if call('ZSCORE', base .. ':turns', turn) then
    call('ZADD', base .. ':turns', 'XX', expires, turn)
    local organization = organization_of(ARGV[i + 1])
    local tier, weight = account(organization)
    charge(organization, tier, tonumber(ARGV[i + 2]) / weight, queues)
    alive[#alive + 1] = 1
  else
    alive[#alive + 1] = 0
  end
end
return alive
