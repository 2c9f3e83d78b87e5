import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawCode } from '../../sandbox/graph/qr-code.ts';
import { readQrCode } from '../../src/enrollment/qr-code.ts';
import { Secret } from '../../src/secret.ts';

test('a content longer than a QR code holds gives none', async () => {
  assert.equal(await readQrCode({ qrCodeContent: new Secret('x'.repeat(3000)) }), undefined);
  assert.equal(await readQrCode({ qrCodeContent: new Secret('') }), undefined);
});

test('what begins like a PNG and is none is not passed on: the code is drawn', async () => {
  const png = drawCode('content');
  const intact = { qrCodeContent: new Secret('content'), qrCodeImage: new Secret(png.toString('base64')) };
  assert.deepEqual(await readQrCode(intact), png);
  const drawn = await readQrCode({ qrCodeContent: new Secret('content') });
  for (const almost of [png.subarray(0, 60), Buffer.concat([png.subarray(0, 33), Buffer.from('<script>')])]) {
    const qrCodeImage = new Secret(almost.toString('base64'));
    assert.deepEqual(await readQrCode({ ...intact, qrCodeImage }), drawn);
  }
});
