-- There is more in this queue than the caller has hands.   ARGV[1] tier     [2] queue
if call('LLEN', wake_key(ARGV[1], ARGV[2])) == 0 then wake(ARGV[1], ARGV[2]) end
return 1
