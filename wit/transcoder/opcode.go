package transcoder

// opcode is an instruction of core WebAssembly, of those that are used here.
type opcode uint8

const (
	nothing opcode = iota // a comment
	unreachableOp
	blockOp
	loopOp
	ifOp
	elseOp
	endOp
	brOp
	brIfOp
	brTableOp
	returnOp
	callOp
	dropOp
	localGet
	localSet
	localTee
	globalGet
	globalSet
	i32Load
	i64Load
	f32Load
	f64Load
	i32Load8S
	i32Load8U
	i32Load16S
	i32Load16U
	i64Load32U
	i32Store
	i64Store
	f32Store
	f64Store
	i32Store8
	i32Store16
	i64Store32
	memorySize
	memoryGrow
	memoryCopy
	memoryFill
	i32Const
	i64Const
	i32Eqz
	i32Eq
	i32Ne
	i32LtS
	i32LtU
	i32GtS
	i32GtU
	i32LeU
	i32GeU
	i64Eqz
	i64Eq
	i64Ne
	i64LtU
	i64GtU
	i32Add
	i32Sub
	i32Mul
	i32DivU
	i32And
	i32Or
	i32Shl
	i32ShrU
	i64Clz
	i64Popcnt
	i64Add
	i64Mul
	i64And
	i64Or
	i64Xor
	i64Shl
	i64ShrU
	i32WrapI64
	i64ExtendI32S
	i64ExtendI32U
	i32ReinterpretF32
	i64ReinterpretF64
	i32Extend8S
	i32Extend16S
)

// form says which immediates an instruction has.
type form uint8

const (
	plain form = iota
	indexed
	called
	constant
	memory
	structured
	tabled
)

// opcodes are the instructions: their name in text, their code, and their form.
var opcodes = [...]struct {
	name string
	code string
	form form
}{
	nothing:           {"", "", plain},
	unreachableOp:     {"unreachable", "\x00", plain},
	blockOp:           {"block", "\x02", structured},
	loopOp:            {"loop", "\x03", structured},
	ifOp:              {"if", "\x04", structured},
	elseOp:            {"else", "\x05", plain},
	endOp:             {"end", "\x0b", plain},
	brOp:              {"br", "\x0c", indexed},
	brIfOp:            {"br_if", "\x0d", indexed},
	brTableOp:         {"br_table", "\x0e", tabled},
	returnOp:          {"return", "\x0f", plain},
	callOp:            {"call", "\x10", called},
	dropOp:            {"drop", "\x1a", plain},
	localGet:          {"local.get", "\x20", indexed},
	localSet:          {"local.set", "\x21", indexed},
	localTee:          {"local.tee", "\x22", indexed},
	globalGet:         {"global.get", "\x23", indexed},
	globalSet:         {"global.set", "\x24", indexed},
	i32Load:           {"i32.load", "\x28", memory},
	i64Load:           {"i64.load", "\x29", memory},
	f32Load:           {"f32.load", "\x2a", memory},
	f64Load:           {"f64.load", "\x2b", memory},
	i32Load8S:         {"i32.load8_s", "\x2c", memory},
	i32Load8U:         {"i32.load8_u", "\x2d", memory},
	i32Load16S:        {"i32.load16_s", "\x2e", memory},
	i32Load16U:        {"i32.load16_u", "\x2f", memory},
	i64Load32U:        {"i64.load32_u", "\x35", memory},
	i32Store:          {"i32.store", "\x36", memory},
	i64Store:          {"i64.store", "\x37", memory},
	f32Store:          {"f32.store", "\x38", memory},
	f64Store:          {"f64.store", "\x39", memory},
	i32Store8:         {"i32.store8", "\x3a", memory},
	i32Store16:        {"i32.store16", "\x3b", memory},
	i64Store32:        {"i64.store32", "\x3e", memory},
	memorySize:        {"memory.size", "\x3f\x00", plain},
	memoryGrow:        {"memory.grow", "\x40\x00", plain},
	memoryCopy:        {"memory.copy", "\xfc\x0a\x00\x00", plain},
	memoryFill:        {"memory.fill", "\xfc\x0b\x00", plain},
	i32Const:          {"i32.const", "\x41", constant},
	i64Const:          {"i64.const", "\x42", constant},
	i32Eqz:            {"i32.eqz", "\x45", plain},
	i32Eq:             {"i32.eq", "\x46", plain},
	i32Ne:             {"i32.ne", "\x47", plain},
	i32LtS:            {"i32.lt_s", "\x48", plain},
	i32LtU:            {"i32.lt_u", "\x49", plain},
	i32GtS:            {"i32.gt_s", "\x4a", plain},
	i32GtU:            {"i32.gt_u", "\x4b", plain},
	i32LeU:            {"i32.le_u", "\x4d", plain},
	i32GeU:            {"i32.ge_u", "\x4f", plain},
	i64Eqz:            {"i64.eqz", "\x50", plain},
	i64Eq:             {"i64.eq", "\x51", plain},
	i64Ne:             {"i64.ne", "\x52", plain},
	i64LtU:            {"i64.lt_u", "\x54", plain},
	i64GtU:            {"i64.gt_u", "\x56", plain},
	i32Add:            {"i32.add", "\x6a", plain},
	i32Sub:            {"i32.sub", "\x6b", plain},
	i32Mul:            {"i32.mul", "\x6c", plain},
	i32DivU:           {"i32.div_u", "\x6e", plain},
	i32And:            {"i32.and", "\x71", plain},
	i32Or:             {"i32.or", "\x72", plain},
	i32Shl:            {"i32.shl", "\x74", plain},
	i32ShrU:           {"i32.shr_u", "\x76", plain},
	i64Clz:            {"i64.clz", "\x79", plain},
	i64Popcnt:         {"i64.popcnt", "\x7b", plain},
	i64Add:            {"i64.add", "\x7c", plain},
	i64Mul:            {"i64.mul", "\x7e", plain},
	i64And:            {"i64.and", "\x83", plain},
	i64Or:             {"i64.or", "\x84", plain},
	i64Xor:            {"i64.xor", "\x85", plain},
	i64Shl:            {"i64.shl", "\x86", plain},
	i64ShrU:           {"i64.shr_u", "\x88", plain},
	i32WrapI64:        {"i32.wrap_i64", "\xa7", plain},
	i64ExtendI32S:     {"i64.extend_i32_s", "\xac", plain},
	i64ExtendI32U:     {"i64.extend_i32_u", "\xad", plain},
	i32ReinterpretF32: {"i32.reinterpret_f32", "\xbc", plain},
	i64ReinterpretF64: {"i64.reinterpret_f64", "\xbd", plain},
	i32Extend8S:       {"i32.extend8_s", "\xc0", plain},
	i32Extend16S:      {"i32.extend16_s", "\xc1", plain},
}
