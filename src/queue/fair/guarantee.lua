-- Capacity that an organization was promised, admitted only while the sum of all promises fits what is left when the
-- largest process is lost.
--   reserved      hash "process/loop" -> "slots expiry(ms)": ENTERPRISE slots of the processes that are alive
--   promised      hash organization -> slots
-- ARGV[1] "announce": [2] process/loop, [3] slots, [4] ms.   "promise": [2] organization, [3] slots (0 takes it back).
-- Gives {1 admitted or 0, slots that survive the loss of the largest process, slots promised to all}.
local now = now_ms()
if ARGV[1] == 'announce' then
  call('HSET', base .. ':reserved', ARGV[2], ARGV[3] .. ' ' .. (now + tonumber(ARGV[4])))
end
local sum, largest, of_process = 0, 0, {}
local reserved = call('HGETALL', base .. ':reserved')
for i = 1, #reserved, 2 do
  local slots, expiry = string.match(reserved[i + 1], '^(%d+) (%d+)$')
  if tonumber(expiry) < now then
    call('HDEL', base .. ':reserved', reserved[i])
  else
    local process = string.match(reserved[i], '^[^/]*')
    of_process[process] = (of_process[process] or 0) + tonumber(slots)
    sum, largest = sum + tonumber(slots), math.max(largest, of_process[process])
  end
end
local promised = 0
for _, slots in ipairs(call('HVALS', base .. ':promised')) do promised = promised + tonumber(slots) end
local admitted = 1
if ARGV[1] == 'promise' then
  local wished = tonumber(ARGV[3])
  local before = tonumber(call('HGET', base .. ':promised', ARGV[2]) or 0)
  if wished > before and promised - before + wished > sum - largest then
    admitted = 0
  else
    promised = promised - before + wished
    if wished == 0 then call('HDEL', base .. ':promised', ARGV[2]) else call('HSET', base .. ':promised', ARGV[2], wished) end
  end
end
return { admitted, sum - largest, promised }
