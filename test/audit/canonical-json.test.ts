import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isCanonicalJson, toCanonicalJson } from '../../src/audit/canonical-json.ts';

test('RFC 8785 section 3.2.2: the sample object', () => {
  const input = String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`;
  assert.equal(
    toCanonicalJson(JSON.parse(input)),
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

test('RFC 8785 section 3.2.3: members are sorted by UTF-16 code units', () => {
  const input = String.raw`{
    "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
    "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
  }`;
  assert.deepEqual(toCanonicalJson(JSON.parse(input)).match(/:"[^"]*"/g), [
    ':"Carriage Return"',
    ':"One"',
    ':"Control"',
    ':"Latin Small Letter O With Diaeresis"',
    ':"Euro Sign"',
    ':"Emoji: Grinning Face"',
    ':"Hebrew Letter Dalet With Dagesh"',
  ]);
});

/** RFC 8785 appendix B: IEEE 754 bits and their text. */
const NUMBERS = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
] as const;

for (const [bits, text] of NUMBERS) {
  test(`RFC 8785 appendix B: ${bits} is ${text}`, () => {
    assert.equal(toCanonicalJson(Buffer.from(bits, 'hex').readDoubleBE()), text);
  });
}

test('what JSON cannot hold is refused', () => {
  for (const value of [
    Number.NaN,
    Infinity,
    '\uD800',
    { '\uDC00': 1 },
    ['\uD800x'],
    1n,
    undefined,
    Symbol('s'),
  ]) {
    assert.throws(() => toCanonicalJson(value), TypeError);
  }
  assert.equal(toCanonicalJson({ a: undefined, b: 1 }), '{"b":1}');
});

test('the canonical text means the same value, is its own canonical text, and is recognised as such', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
      const text = toCanonicalJson(value);
      const parsed: unknown = JSON.parse(text);
      assert.equal(toCanonicalJson(parsed), text);
      assert.equal(isCanonicalJson(text, parsed), true);
      assert.equal(isCanonicalJson(` ${text}`, parsed), false);
    }),
  );
  for (const text of ['{"b":1,"a":2}', '[{"b":1,"a":2}]', '1.0', '"\\u0041"', '{"a":1,"a":1}', '"\\ud800"']) {
    assert.equal(isCanonicalJson(text, JSON.parse(text)), false, text);
  }
});
