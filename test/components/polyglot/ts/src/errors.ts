// Functions that fail, with an error of each type: what is thrown is the error value.

import type * as contract from 'test:conformance/errors@1.2.0';

const VALUE = 7;

function unless(fail: boolean, error: unknown): number {
  if (fail) throw error;
  return VALUE;
}

export const errors: typeof contract = {
  asString: (fail) => unless(fail, 'a string'),
  asEnum: (code) => unless(code !== undefined, code),
  asRecord: (fail) => unless(fail, { code: 42, text: 'a record' } satisfies contract.Problem),
  asVariant: (refusal) => unless(refusal !== undefined, refusal),
  asList: (fail) => unless(fail, ['one', 'two']),
  asTuple: (fail) => unless(fail, [42, 'a tuple']),
  asOption: (fail) => unless(fail, 'an option'),
  asNumber: (fail) => unless(fail, 42),
  asNothing: (fail) => unless(fail, undefined),
  noValue: (fail) => void unless(fail, 'no value'),
  neither: (fail) => void unless(fail, undefined),
};
