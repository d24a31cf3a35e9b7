{
  // What the first call of every instance would do, done when the component is built: the engine makes its classes, and compiles the functions
  // around a user's, when they are first used. None of the user's is called, and nothing that draws a random number or reads a clock.
  const classes = ['Object', 'Function', 'Symbol', 'Error', 'TypeError', 'RangeError', 'Number', 'BigInt', 'Math', 'Date', 'String', 'RegExp',
    'Array', 'ArrayBuffer', 'DataView', 'Uint8Array', 'Int32Array', 'Float64Array', 'Map', 'Set', 'WeakMap', 'JSON', 'Promise', 'Proxy', 'Reflect', 'Intl'];
  for (const name of classes) {
    const made = globalThis[name];
    if (made !== undefined) Object.getOwnPropertyNames(made.prototype ?? made);
  }
  for (const [text] of [['a']]) for (const { length } of [text]) [`${length}`, text].join('').padStart(2, '0');
  (async () => { await undefined; })();

  // Texts in the component's memory, where it has functions with texts.
  if (typeof _utf8AllocateAndEncode === 'function' && typeof TEXT_DECODER_UTF8 === 'object') {
    const { ptr, len } = _utf8AllocateAndEncode('a', $realloc, $memory);
    TEXT_DECODER_UTF8.decode(new Uint8Array($memory.buffer, ptr, len));
    $dealloc(ptr, len, 1);
  }
  if (typeof dataView === 'function') dataView($memory).getUint32(0, true);
  if (typeof toUint64 === 'function') toUint64(1n);
  if (typeof toInt64 === 'function') toInt64(1n);
}
