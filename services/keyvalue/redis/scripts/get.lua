-- Gives value and version of each key. ARGV: how many bytes of values at most, and the keys.
local values, keys = KEYS[2], KEYS[3]
local limit, size = tonumber(ARGV[1]), 0
for i = 2, #ARGV do
  size = size + redis.call('HSTRLEN', values, ARGV[i])
  if size > limit then return {'large', limit} end
end
local answer = {'ok'}
for i = 2, #ARGV do
  answer[#answer + 1] = redis.call('HGET', values, ARGV[i])
  answer[#answer + 1] = redis.call('ZSCORE', keys, ARGV[i])
end
return answer
