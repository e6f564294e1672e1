-- ARGV: members. Their queues have been written to, or may be served again.
for i = 1, #ARGV do signal(ARGV[i]) end
return #ARGV
