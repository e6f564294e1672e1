-- Which of these members the index does not know of.   ARGV: members
local missing = {}
for i = 1, #ARGV do
  local member = ARGV[i]
  local organization, queue = organization_of(member), queue_of(member)
  local tier = account(organization)
  if not call('ZSCORE', ready_key(tier, queue), organization) and not call('ZSCORE', base .. ':due', member) then
    missing[#missing + 1] = member
  end
end
return missing
