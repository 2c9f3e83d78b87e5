import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { toBuffer } from 'qrcode';
import { drawCode } from '../../sandbox/graph/qr-code.ts';
import { isPng } from '../../src/enrollment/png.ts';
import { SUCCESS_RESPONSES } from '../../src/openapi/success-responses.ts';

const png = drawCode('content');
const IHDR_END = 8 + 12 + 13;
const IEND_START = png.length - 12;

/** A chunk whose CRC is right, whatever it holds. */
function toChunk(type: string, data: string): Buffer {
  const named = Buffer.from(`${type}${data}`, 'latin1');
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(data.length, 0);
  numbers.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([numbers.subarray(0, 4), named, numbers.subarray(4)]);
}

const header = png.subarray(0, IHDR_END);
const image = png.subarray(IHDR_END, IEND_START);
const end = png.subarray(IEND_START);

test('a whole PNG is one: as Graph sends it, as it is drawn here, with chunks that nobody knows', async () => {
  assert.ok(isPng(png));
  assert.ok(isPng(await toBuffer('content', { type: 'png' })));
  assert.ok(isPng(Buffer.concat([header, toChunk('teXt', 'a note'), image, image, end])));
});

test('the example in openapi.json is one', () => {
  const example = JSON.stringify(SUCCESS_RESPONSES.getQrCodeImage);
  const [, base64 = ''] = /"value":"(iVBORw0KGgo[^"]+)"/.exec(example) ?? [];
  assert.ok(isPng(Buffer.from(base64, 'base64')));
});

describe('SECURITY what only begins like a PNG is none', () => {
  const script = Buffer.from('<script>alert(1)</script>');
  for (const [what, bytes] of Object.entries({
    'a script behind the header': Buffer.concat([header, script]),
    'a script behind the end': Buffer.concat([png, script]),
    'a second image behind the end': Buffer.concat([png, png]),
    'cut at 60 bytes': png.subarray(0, 60),
    'no image': Buffer.concat([header, end]),
    'an image of no bytes': Buffer.concat([header, toChunk('IDAT', ''), end]),
    'no end': Buffer.concat([header, image]),
    'no header first': Buffer.concat([png.subarray(0, 8), image, end]),
    'a header of another size': Buffer.concat([png.subarray(0, 8), toChunk('IHDR', 'short'), image, end]),
    'an end that holds something': Buffer.concat([header, image, toChunk('IEND', 'more')]),
    'a chunk without a name': Buffer.concat([header, toChunk('<b>!', ''), image, end]),
    'a length beyond all bounds': Buffer.concat([header, Buffer.alloc(12, 0xff), image, end]),
    nothing: Buffer.alloc(0),
  })) {
    test(what, () => {
      assert.ok(!isPng(bytes));
    });
  }
});

test('no cut and no changed byte goes unnoticed', () => {
  for (let length = 0; length < png.length; length += 1)
    assert.ok(!isPng(png.subarray(0, length)), `${length}`);
  fc.assert(
    fc.property(fc.nat(png.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(png);
      changed[at] = (changed[at] ?? 0) ^ change;
      assert.ok(!isPng(changed));
    }),
  );
});
