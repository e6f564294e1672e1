-- How one queue stands, in the queue's own slot, judged as BullMQ 6's moveToActive would. A marker of work that cannot
-- be had is taken away, so that the next job that anybody adds writes one, which is heard (keyspace notifications).
--   KEYS[1] wait [2] active [3] prioritized [4] delayed [5] meta [6] limiter [7] marker     ARGV[1] now, ms
-- Gives {READY|EMPTY|MAXED|PAUSED|DUE, ms: when DUE, jobs active}.
local call = redis.call
local now = tonumber(ARGV[1])
local meta = call('HMGET', KEYS[5], 'paused', 'concurrency', 'max')
local active = call('LLEN', KEYS[2])

local function judge()
  local first = call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
  local delayed = first[2] and math.floor(tonumber(first[2]) / 4096)
  local waiting = call('EXISTS', KEYS[1], KEYS[3]) > 0 or (delayed and delayed <= now)
  if not waiting then
    if delayed then return 'DUE', delayed end
    return 'EMPTY', 0
  end
  if meta[3] and tonumber(meta[3]) <= tonumber(call('GET', KEYS[6]) or 0) then
    local left = call('PTTL', KEYS[6])
    if left > 0 then return 'DUE', now + left end
  end
  if meta[1] then return 'PAUSED', 0 end
  if meta[2] and active >= tonumber(meta[2]) then return 'MAXED', 0 end
  return 'READY', 0
end

local standing, when = judge()
if standing ~= 'READY' then call('ZREM', KEYS[7], '0') end
return { standing, when, active }
