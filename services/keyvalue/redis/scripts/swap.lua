-- Stores a value if the key has a version, empty for a key that is not there: key, version, value.
local key, version, value = ARGV[4], ARGV[5], ARGV[6]
if (redis.call('ZSCORE', keys, key) or '') ~= version then return {'changed'} end
local more = base + #key + #value - cost(key)
if not fits(more) then return {'quota'} end
store(key, value)
count(more)
return {'ok'}
