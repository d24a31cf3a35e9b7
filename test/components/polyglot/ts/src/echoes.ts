// Interfaces whose functions return their argument. None may be left out: the compiler knows all of them.

import type * as scalarsContract from 'test:conformance/scalars@1.2.0';
import type * as shapesContract from 'test:conformance/shapes@1.2.0';

const echo = <T>(v: T): T => v;

export const scalars: typeof scalarsContract = {
  echoBool: echo, echoU8: echo, echoS8: echo, echoU16: echo, echoS16: echo, echoU32: echo, echoS32: echo, echoU64: echo,
  echoS64: echo, echoF32: echo, echoF64: echo, echoChar: echo, echoString: echo, echoBytes: echo,
};

export const shapes: typeof shapesContract = {
  echoLevel: echo, echoUnit: echo, echoPermissions: echo, echoSeveral: echo, echoFew: echo, echoPoint: echo, echoLeaf: echo,
  echoTree: echo, echoEverything: echo, echoEmpties: echo, echoShape: echo, echoShapes: echo, echoAlias: echo,

  echoPair: echo, echoDeepPair: echo,

  echoOption: echo, echoOptionString: echo, echoOptionLeaf: echo, echoOptionOption: echo, echoOptionOptionOption: echo,
  echoOptionList: echo, echoOptionBytes: echo,

  echoListBool: echo, echoListS8: echo, echoListS16: echo, echoListU16: echo, echoListS32: echo, echoListU32: echo,
  echoListU64: echo, echoListS64: echo, echoListF32: echo, echoListF64: echo, echoListChar: echo,
  echoListString: echo, echoListBytes: echo, echoListLevel: echo, echoListList: echo, echoListListList: echo,
  echoListOption: echo, echoListResult: echo, echoListTuple: echo, echoListFew: echo,

  echoResults: (a, b, c, d) => [a, b, c, d],
  echoResultResult: echo,
};
