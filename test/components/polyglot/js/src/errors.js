// Functions that fail, with an error of each type: what is thrown is the error value.

const VALUE = 7;

const unless = (fail, error) => {
  if (fail) throw error;
  return VALUE;
};

export const asString = (fail) => unless(fail, 'a string');

export const asEnum = (code) => unless(code !== undefined, code);

export const asRecord = (fail) => unless(fail, { code: 42, text: 'a record' });

export const asVariant = (refusal) => unless(refusal !== undefined, refusal);

export const asList = (fail) => unless(fail, ['one', 'two']);

export const asTuple = (fail) => unless(fail, [42, 'a tuple']);

export const asOption = (fail) => unless(fail, 'an option');

export const asNumber = (fail) => unless(fail, 42);

export const asNothing = (fail) => unless(fail, undefined);

export const noValue = (fail) => void unless(fail, 'no value');

export const neither = (fail) => void unless(fail, undefined);
