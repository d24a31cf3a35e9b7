-- Stores pairs: key, value, key, value, …
local more = 0
for i = 4, #ARGV, 2 do
  more = more + base + #ARGV[i] + #ARGV[i + 1] - cost(ARGV[i])
end
if not fits(more) then return {'quota'} end
for i = 4, #ARGV, 2 do store(ARGV[i], ARGV[i + 1]) end
count(more)
return {'ok'}
