import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toCanonicalJson } from '../../src/audit/canonical-json.ts';
import { createChain, toRecordHash } from '../../src/audit/chain.ts';
import { readRecord } from '../../src/audit/parse-record.ts';
import { createLinkReader } from '../../src/audit/read-link.ts';
import type { AuditEvent } from '../../src/audit/record.ts';
import { toIntent, toOutcome } from './support/journal.ts';

/** The same question, answered by parsing and writing again. */
function readSlowly(line: string): string {
  const record = readRecord(line);
  if (record === undefined) return 'no record';
  const { hash, ...rest } = record;
  try {
    return toCanonicalJson(record) === line && toRecordHash(toCanonicalJson(rest)) === hash
      ? hash
      : 'not as written';
  } catch {
    return 'not as written';
  }
}

const read = createLinkReader();
const readFast = (line: string) => {
  const link = read(line);
  return typeof link === 'string' ? link : link.hash;
};

const texts = fc.string({ unit: 'binary', maxLength: 20 });
const events: fc.Arbitrary<AuditEvent> = fc
  .tuple(fc.nat(6), texts, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean())
  .map(([kind, text, number, some]): AuditEvent => {
    const source = some ? { address: text } : { address: '::1', userAgent: text };
    const { actor } = toIntent();
    switch (kind) {
      case 0:
        return toIntent({
          source,
          parameters: some ? { [text]: number, b: some } : { tokenValidityInSeconds: number },
        });
      case 1:
        return toOutcome('i', { upstream: { attempts: 1, durationMs: number }, ...(some && { code: text }) });
      case 2:
        return { kind: 'refusal', source, status: 401, code: text, ...(some && { actor, count: 3 }) };
      case 3:
        return { kind: 'recovered', intent: text, result: 'unknown' };
      case 4:
        return { kind: 'settled', intent: text, result: 'success' };
      case 5:
        return { kind: 'start', version: text, node: 'v20', configHash: 'c' };
      default:
        return { kind: 'stop', version: '1', node: text, configHash: 'c' };
    }
  });

test('the fast reading accepts exactly the lines that parsing and writing again accepts', () => {
  fc.assert(
    fc.property(
      events,
      fc.nat(),
      fc.constantFrom('', ',', '"', ' ', '0', '1', '}', '\\', 'a', '{}', ',,'),
      fc.nat(2),
      (event, place, put, cut) => {
        const sealed = createChain('chain', '0'.repeat(64)).seal(event, 0, 'id');
        const line = sealed.line.slice(0, -1);
        assert.equal(readFast(line), sealed.seal.hash);
        assert.equal(readSlowly(line), sealed.seal.hash);
        const at = place % line.length;
        const damaged = line.slice(0, at) + put + line.slice(at + cut);
        assert.equal(readFast(damaged) === sealed.seal.hash, damaged === line);
        assert.equal(readFast(damaged), readSlowly(damaged));
        // With its hash made right again, all depends on whether the text is canonical.
        const member = `"hash":"${sealed.seal.hash}",`;
        if (!damaged.includes(member)) return;
        const forged = damaged.replace(member, `"hash":"${toRecordHash(damaged.replace(member, ''))}",`);
        assert.equal(readFast(forged), readSlowly(forged), forged);
      },
    ),
    { numRuns: process.env['TEST_LONG'] === '1' ? 200_000 : 4000 },
  );
});

test('what the fast reading gives is what parsing gives', () => {
  const sealed = createChain('chain', 'a'.repeat(64)).seal(toOutcome('the-intent'), 5, 'the-id');
  const { chain, seq, time, id, previous, hash } = sealed.seal;
  const link = { kind: 'outcome', intent: 'the-intent', chain, seq, time, id, previous, hash };
  assert.deepEqual(read(sealed.line.slice(0, -1)), link);
});
