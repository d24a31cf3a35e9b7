package transcode

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"sync"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// Failure is the err of a result, as it is sent to the caller.
type Failure struct {
	// Case is the name of the case where the payload is a variant or an enum, empty otherwise.
	Case string
	// Message is the payload where it is a string, and its WAVE text otherwise, cut at 1 KiB.
	Message string
	// DetailType is the full name of the detail's message and Detail its bytes. Both are empty where err has no
	// payload.
	DetailType string
	Detail     []byte
}

func (f *Failure) Error() string { return f.Message }

// Encode turns what the function returned into the bytes of the response, at most limit of them. The same value gives
// the same bytes: fields in the order of their numbers, lists packed. v is ignored where the function returns nothing.
//
// The error is a *Failure where the function returned the err of its result, ErrTooLarge for more bytes than limit, and
// something else only if the value is not of the method's types, which is a fault of weft.
func (p *Plan) Encode(v wasmtime.Value, limit int) (message []byte, err error) {
	defer takeKindError(&err)
	has := true
	if p.fallible {
		payload, there, ok := v.Result()
		if !ok {
			return nil, p.fail(payload, there, limit)
		}
		v, has = payload, there
	}
	return encode(limit, func(e *encoder) {
		if has && len(p.response.fields) > 0 {
			e.field(&p.response.fields[0], v)
		}
	})
}

// takeKindError turns the panic of a value that is not of its type into an error. It is to be deferred.
func takeKindError(err *error) {
	switch r := recover().(type) {
	case nil:
	case *wasmtime.KindError:
		*err = r
	default:
		panic(r)
	}
}

// fail makes the Failure of an err payload.
func (p *Plan) fail(payload wasmtime.Value, has bool, limit int) error {
	if p.failure == nil || !has {
		return &Failure{Message: noPayload}
	}
	f := &Failure{DetailType: p.failure.message}
	p.failure.describe(payload, f)
	var err error
	f.Detail, err = encode(limit, func(e *encoder) {
		if p.failure.detail != nil {
			e.field(&p.failure.detail.fields[0], payload)
		} else {
			e.body(p.failure.shape, payload)
		}
	})
	if err != nil {
		return err
	}
	return f
}

const noPayload = "the function returned an error"

// Failed makes the *Failure of an err payload out of its detail, as Encode would have written that.
func (p *Plan) Failed(detail []byte) (err error) {
	if p.failure == nil {
		return &Failure{Message: noPayload}
	}
	defer takeKindError(&err)
	arena := wasmtime.NewArena()
	defer arena.Free()
	v := arena.Args(1).At(0)
	if err := p.DecodeFailure(p.failure.message, detail, arena, v); err != nil {
		return fmt.Errorf("transcode: the detail of an error: %w", err)
	}
	payload, _, _ := v.Result()
	f := &Failure{DetailType: p.failure.message, Detail: detail}
	p.failure.describe(payload, f)
	return f
}

// encoder writes a message back to front: what is in buf[pos:] is done, and the length of a nested message is known
// when its own bytes are. Encoders are pooled.
type encoder struct {
	buf   []byte
	pos   int
	limit int
	flags []bool
}

// firstBuffer and keptBuffer are the sizes with which an encoder begins and up to which it is kept.
const (
	firstBuffer = 4 << 10
	keptBuffer  = 1 << 20
)

var encoders sync.Pool // of *encoder

// overflow is what grow panics with.
type overflow struct{}

func encode(limit int, write func(*encoder)) (message []byte, err error) {
	e, ok := encoders.Get().(*encoder)
	if !ok {
		e = &encoder{buf: make([]byte, firstBuffer)}
	}
	e.pos, e.limit = len(e.buf), limit
	defer func() {
		if len(e.buf) <= keptBuffer {
			encoders.Put(e)
		}
		switch r := recover(); r.(type) {
		case nil:
		case overflow:
			message, err = nil, ErrTooLarge
		default:
			panic(r)
		}
	}()
	write(e)
	if len(e.buf)-e.pos > limit {
		return nil, ErrTooLarge
	}
	return append([]byte(nil), e.buf[e.pos:]...), nil
}

// room makes room for n bytes in front of pos and moves pos there.
func (e *encoder) room(n int) []byte {
	if e.pos < n {
		e.grow(n)
	}
	e.pos -= n
	return e.buf[e.pos : e.pos+n]
}

func (e *encoder) grow(n int) {
	done := len(e.buf) - e.pos
	if done+n > e.limit {
		panic(overflow{})
	}
	buf := make([]byte, max(2*len(e.buf), done+n))
	copy(buf[len(buf)-done:], e.buf[e.pos:])
	e.buf, e.pos = buf, len(buf)-done
}

func (e *encoder) varint(v uint64) {
	if v < 0x80 && e.pos > 0 {
		e.pos--
		e.buf[e.pos] = byte(v)
		return
	}
	n := (bits.Len64(v|1) + 6) / 7
	binary.PutUvarint(e.room(n), v)
}

func (e *encoder) tag(f *field, wire protowire.Type) {
	e.varint(uint64(f.number)<<3 | uint64(wire))
}

// body writes the fields of a message.
func (e *encoder) body(n *node, v wasmtime.Value) {
	switch n.kind {
	case wit.Record:
		e.fields(n, v.Fields())
	case wit.Tuple:
		e.fields(n, v.Tuple())
	case wit.Flags:
		e.flagFields(n, v)
	case wit.Variant:
		i, payload, has := v.Variant(n.names)
		e.member(n, i, payload, has)
	case wit.Result:
		payload, has, ok := v.Result()
		i := 0
		if !ok {
			i = 1
		}
		e.member(n, i, payload, has)
	case wit.List, wit.Option:
		e.field(&n.fields[0], v)
	}
}

func (e *encoder) fields(n *node, values wasmtime.Values) {
	for _, i := range n.order {
		e.field(&n.fields[i], values.At(i))
	}
}

func (e *encoder) flagFields(n *node, v wasmtime.Value) {
	e.flags = append(e.flags[:0], make([]bool, len(n.fields))...)
	set := e.flags
	v.Flags(n.names, func(i int) {
		if i >= 0 {
			set[i] = true
		}
	})
	for _, i := range n.order {
		if set[i] {
			e.varint(1)
			e.tag(&n.fields[i], protowire.VarintType)
		}
	}
}

// member writes the member of a oneof that is set.
func (e *encoder) member(n *node, i int, payload wasmtime.Value, has bool) {
	if i < 0 {
		panic(&wasmtime.KindError{Want: wasmtime.KindVariant, Have: wasmtime.KindVariant})
	}
	f := &n.fields[i]
	if has {
		e.single(f, payload)
		return
	}
	e.varint(0) // an Empty without a byte
	e.tag(f, protowire.BytesType)
}

// field writes a field with its tag, or nothing where it holds nothing.
func (e *encoder) field(f *field, v wasmtime.Value) {
	switch f.label {
	case contract.Optional:
		if payload, some := v.Option(); some {
			e.single(f, payload)
		}
	case contract.Repeated:
		e.list(f, v.List())
	default:
		if f.node.message || !e.isDefault(f.node, v) {
			e.single(f, v)
		}
	}
}

func (e *encoder) list(f *field, values wasmtime.Values) {
	end := len(e.buf) - e.pos
	for i := values.Len() - 1; i >= 0; i-- {
		if f.packed {
			e.scalar(f.node, values.At(i))
		} else {
			e.single(f, values.At(i))
		}
	}
	if f.packed && values.Len() > 0 {
		e.varint(uint64(len(e.buf) - e.pos - end))
		e.tag(f, protowire.BytesType)
	}
}

// single writes one value with its tag, even if it is the default.
func (e *encoder) single(f *field, v wasmtime.Value) {
	if f.node.message {
		end := len(e.buf) - e.pos
		e.body(f.node, v)
		e.varint(uint64(len(e.buf) - e.pos - end))
	} else {
		e.scalar(f.node, v)
	}
	e.tag(f, f.wire)
}

// isDefault tells whether proto3 leaves a scalar out.
func (e *encoder) isDefault(n *node, v wasmtime.Value) bool {
	switch n.kind {
	case wit.String:
		return len(v.Bytes()) == 0
	case wit.List:
		return v.List().Len() == 0
	case wit.Char, wit.Enum:
		return false
	default:
		return e.number(n, v) == 0
	}
}

// scalar writes a value without its tag.
func (e *encoder) scalar(n *node, v wasmtime.Value) {
	switch n.kind {
	case wit.F32:
		binary.LittleEndian.PutUint32(e.room(4), uint32(e.number(n, v)))
	case wit.F64:
		binary.LittleEndian.PutUint64(e.room(8), e.number(n, v))
	case wit.String:
		text := v.Bytes()
		copy(e.room(len(text)), text)
		e.varint(uint64(len(text)))
	case wit.Char:
		var text [utf8.UTFMax]byte
		size := utf8.EncodeRune(text[:], v.Char())
		copy(e.room(size), text[:size])
		e.varint(uint64(size))
	case wit.List:
		size := v.List().Len()
		v.U8s(e.room(size)[:0])
		e.varint(uint64(size))
	default:
		e.varint(e.number(n, v))
	}
}

// number gives the bits of a value that is neither text nor bytes, as they go to the wire.
func (e *encoder) number(n *node, v wasmtime.Value) uint64 {
	switch n.kind {
	case wit.Bool:
		if v.Bool() {
			return 1
		}
		return 0
	case wit.U8:
		return uint64(v.U8())
	case wit.U16:
		return uint64(v.U16())
	case wit.U32:
		return uint64(v.U32())
	case wit.U64:
		return v.U64()
	case wit.S8:
		return uint64(int64(v.S8()))
	case wit.S16:
		return uint64(int64(v.S16()))
	case wit.S32:
		return uint64(int64(v.S32()))
	case wit.S64:
		return uint64(v.S64())
	case wit.F32:
		return uint64(math.Float32bits(v.F32()))
	case wit.F64:
		return math.Float64bits(v.F64())
	default: // an enum
		i := v.Enum(n.names)
		if i < 0 {
			panic(&wasmtime.KindError{Want: wasmtime.KindEnum, Have: wasmtime.KindEnum})
		}
		return uint64(int64(n.numbers[i]))
	}
}
