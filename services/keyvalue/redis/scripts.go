package redis

import (
	"context"
	"embed"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/weft-run/weft/services/keyvalue"
)

//go:embed scripts/*.lua
var sources embed.FS

// What the scripts share stands before those that change something.
var (
	getScript       = script("get.lua")
	setScript       = script("change.lua", "set.lua")
	deleteScript    = script("change.lua", "delete.lua")
	incrementScript = script("change.lua", "increment.lua")
	swapScript      = script("change.lua", "swap.lua")
)

func script(names ...string) *redis.Script {
	var text []byte
	for _, name := range names {
		part, err := sources.ReadFile("scripts/" + name)
		if err != nil {
			panic(err) // it is embedded or the program was not built
		}
		text = append(text, part...)
	}
	return redis.NewScript(string(text))
}

// accounting puts before arguments what change.lua wants to know.
func (s *Store) accounting(b keyvalue.Bucket, args ...any) []any {
	return append([]any{s.quota, keyvalue.Cost(b, "", 0), b.Name}, args...)
}

// prepend makes arguments of keys, after others.
func prepend(keys []string, before ...any) []any {
	args := append(make([]any, 0, len(before)+len(keys)), before...)
	for _, key := range keys {
		args = append(args, key)
	}
	return args
}

// run runs a script on a bucket. Its answer is a word and what belongs to it; what is not "ok" is an error.
func (s *Store) run(ctx context.Context, script *redis.Script, b keyvalue.Bucket, args ...any) ([]any, error) {
	keys := []string{s.factsKey(b.Function), s.valuesKey(b), s.keysKey(b), s.bucketsKey(b.Function)}
	answer, err := script.Run(ctx, s.client, keys, args...).Slice()
	if err != nil {
		return nil, unavailable(err)
	}
	word := ""
	if len(answer) > 0 {
		word = fmt.Sprint(answer[0])
	}
	switch word {
	case "ok":
		return answer[1:], nil
	case "quota":
		return nil, &keyvalue.QuotaError{Function: b.Function, Quota: s.quota}
	case "changed":
		return nil, keyvalue.ErrChanged
	case "large":
		return nil, keyvalue.TooMuch(int(answer[1].(int64)))
	case "number":
		return nil, keyvalue.NotNumber(fmt.Sprint(answer[1]))
	case "overflow":
		return nil, keyvalue.Overflow(fmt.Sprint(answer[1]))
	default:
		return nil, unavailable(fmt.Errorf("a script answered %.40q", word))
	}
}
