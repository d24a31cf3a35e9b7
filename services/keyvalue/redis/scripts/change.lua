-- KEYS: the facts of the function, the values, keys and names of its buckets.
-- ARGV: the quota, what a pair of this bucket costs besides its key and value, the bucket; then the script's own.
local facts, values, keys, buckets = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local quota, base, bucket = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

-- cost is what a key counts now: nothing if it is not there.
local function cost(key)
  if redis.call('HEXISTS', values, key) == 0 then return 0 end
  return base + #key + redis.call('HSTRLEN', values, key)
end

-- fits tells whether a function may store so many bytes more. It may always store less.
local function fits(more)
  return more <= 0 or tonumber(redis.call('HGET', facts, 'bytes') or 0) + more <= quota
end

local function count(more)
  redis.call('HINCRBY', facts, 'bytes', string.format('%.0f', more))
end

-- changed gives a key the next version.
local function changed(key)
  redis.call('ZADD', keys, redis.call('HINCRBY', facts, 'changes', 1), key)
  redis.call('SADD', buckets, bucket)
end

local function store(key, value)
  redis.call('HSET', values, key, value)
  changed(key)
end

