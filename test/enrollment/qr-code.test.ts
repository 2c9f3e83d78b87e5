import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readQrCode } from '../../src/enrollment/qr-code.ts';
import { Secret } from '../../src/secret.ts';

test('a content longer than a QR code holds gives none', async () => {
  assert.equal(await readQrCode({ qrCodeContent: new Secret('x'.repeat(3000)) }), undefined);
  assert.equal(await readQrCode({ qrCodeContent: new Secret('') }), undefined);
});

test('what begins like a PNG and is none is not passed on', async () => {
  const almost = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3, 4]).toString('base64');
  const drawn = await readQrCode({ qrCodeContent: new Secret('content'), qrCodeImage: new Secret(almost) });
  assert.ok(drawn && drawn.length > 100);
});
