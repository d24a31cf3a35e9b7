-- Removes keys, and the bucket with its last one.
local less = 0
for i = 4, #ARGV do
  less = less + cost(ARGV[i])
  redis.call('HDEL', values, ARGV[i])
  redis.call('ZREM', keys, ARGV[i])
end
if redis.call('EXISTS', values) == 0 then redis.call('SREM', buckets, bucket) end
if less > 0 then count(-less) end
return {'ok'}
