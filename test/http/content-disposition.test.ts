import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toContentDisposition } from '../../src/http/content-disposition.ts';

test('the file name is readable, in ASCII and, where that differs, in its own script', () => {
  assert.equal(toContentDisposition('Scanners'), 'attachment; filename="Scanners-qr-code.png"');
  assert.equal(
    toContentDisposition('Лагер 7'),
    `attachment; filename="7-qr-code.png"; filename*=UTF-8''%D0%9B%D0%B0%D0%B3%D0%B5%D1%80%207-qr-code.png`,
  );
  assert.equal(toContentDisposition(''), 'attachment; filename="enrollment-profile-qr-code.png"');
  assert.equal(toContentDisposition('../../etc/passwd'), 'attachment; filename="etc-passwd-qr-code.png"');
});

test('SECURITY no name can break out of the header, or mean something in a path', () => {
  for (const name of [
    'a"; filename="b.exe',
    'a\r\nSet-Cookie: x',
    'a\u202Egnp.exe',
    '\uD800',
    '..',
    'x'.repeat(500),
  ]) {
    assertHarmless(name);
  }
  fc.assert(fc.property(fc.string({ unit: 'binary' }), assertHarmless));
});

function assertHarmless(name: string): void {
  const header = toContentDisposition(name);
  const match =
    /^attachment; filename="([A-Za-z0-9._-]+)"(?:; filename\*=UTF-8''((?:[A-Za-z0-9!~._-]|%[0-9A-F]{2})+))?$/.exec(
      header,
    );
  assert.ok(match, header);
  const readable = decodeURIComponent(match[2] ?? '');
  for (const file of [match[1] ?? '', readable]) {
    assert.ok(file.length < 100);
    assert.doesNotMatch(file, /[/\\\p{C}]|^\./u);
  }
}
