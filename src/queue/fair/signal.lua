-- Queues that have been written to, or may be served again.   ARGV[1] queues of the lane     then members
local queues = words(ARGV[1])
for i = 2, #ARGV do signal(ARGV[i], queues) end
return #ARGV - 1
