-- Adds to a number: key, what to add. The server counts in 64 bits; Lua's own numbers have 53.
local key, delta = ARGV[4], ARGV[5]
local before, old = cost(key), redis.call('HGET', values, key)
local sum = redis.pcall('HINCRBY', values, key, delta)
if type(sum) == 'table' then
  if string.find(sum.err, 'overflow', 1, true) then return {'overflow', key} end
  return {'number', key}
end
local more = cost(key) - before
if not fits(more) then
  if old then redis.call('HSET', values, key, old) else redis.call('HDEL', values, key) end
  return {'quota'}
end
changed(key)
count(more)
return {'ok', redis.call('HGET', values, key)}
