import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseStrictJson } from '../src/strict-json.ts';

test('reads what JSON.parse reads', () => {
  const withoutProto = fc
    .jsonValue({ maxDepth: 6 })
    .filter((value) => !JSON.stringify(value).includes('__proto__'));
  fc.assert(
    fc.property(withoutProto, fc.constantFrom(0, 1, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      assert.deepEqual(parseStrictJson(text), JSON.parse(text));
    }),
  );
});

const refused = {
  'a member given twice': '{"a":1,"a":1}',
  'a member given twice, once escaped': '{"a":1,"\\u0061":2}',
  'a member given twice with spaces before the colon': '{"a" :1,"a"\t\n\r :2}',
  'a member given twice inside': '{"x":[{"b":{"c":1,"d":2,"c":3}}]}',
  __proto__: '{"__proto__":{"scp":"all"}}',
  '__proto__, escaped': '{"\\u005f_proto__":1}',
  'nesting without end': `${'['.repeat(33)}${']'.repeat(33)}`,
  'deep nesting that would end a recursive parser': '['.repeat(200_000),
  'a trailing comma': '{"a":1,}',
  'a byte order mark': '\uFEFF{}',
  'text after the value': '{} {}',
  nothing: '',
  'a comment': '{}//',
  NaN: '{"a":NaN}',
};

for (const [what, text] of Object.entries(refused)) {
  test(`refuses ${what}`, () => {
    assert.throws(() => parseStrictJson(text), SyntaxError);
  });
}

test('takes one name in two objects, and a name as a value', () => {
  assert.deepEqual(parseStrictJson('[{"a":"a"},{"a":["a","a"]},"a\\\\","a\\":"]'), [
    { a: 'a' },
    { a: ['a', 'a'] },
    'a\\',
    'a":',
  ]);
});

test('security: an error never quotes the input', () => {
  assert.throws(
    () => parseStrictJson('{"secret":hunter2}'),
    (error: Error) => error instanceof SyntaxError && !/secret|hunter2/.test(error.message),
  );
});
