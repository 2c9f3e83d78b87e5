import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSourceAddress, toAddressKey } from '../../src/limits/source-address.ts';

const ignore = () => {};

function create(...trustedProxies: string[]) {
  const warnings: unknown[] = [];
  const log = {
    error: ignore,
    info: ignore,
    debug: ignore,
    warn: (message: string, fields?: unknown) => void warnings.push([message, fields]),
  };
  return { ...createSourceAddress({ trustedProxies, log }), warnings };
}

function forwardedFor(...values: string[]): string[] {
  return values.flatMap((value) => ['X-Forwarded-For', value]);
}

describe('createSourceAddress', () => {
  it('takes the address of the connection when no proxy is trusted', () => {
    const { read } = create();
    assert.equal(read('203.0.113.7', []), '203.0.113.7');
    assert.equal(read('::ffff:203.0.113.7', []), '203.0.113.7');
    assert.equal(read('2001:DB8:0:0::1', []), '2001:db8::1');
    assert.equal(read('fe80::1%eth0', []), 'fe80::1');
    assert.equal(read(undefined, []), 'unknown');
  });

  it('security: a forged X-Forwarded-For is ignored, and warned of once', () => {
    const { read, warnings } = create('10.0.0.0/8');
    assert.equal(read('203.0.113.7', forwardedFor('198.51.100.1')), '203.0.113.7');
    assert.equal(read('203.0.113.8', forwardedFor('198.51.100.2')), '203.0.113.8');
    assert.equal(warnings.length, 1);
    assert.deepEqual(
      create('10.0.0.0/8').read('10.1.1.1', forwardedFor('1.2.3.4, 198.51.100.1')),
      '198.51.100.1',
    );
  });

  it('walks from the right over trusted hops, through several field lines in order', () => {
    const { read, warnings } = create('10.0.0.0/8', '2001:db8:ffff::/48', '192.0.2.9');
    const lines = [
      'Host',
      'x',
      'x-FORWARDED-for',
      '1.1.1.1, 198.51.100.1',
      'X-Forwarded-For',
      '192.0.2.9,10.9.9.9',
    ];
    assert.equal(read('::ffff:10.0.0.1', lines), '198.51.100.1');
    assert.equal(read('2001:db8:ffff::5', forwardedFor('2001:db8::7')), '2001:db8::7');
    assert.equal(read('10.0.0.1', forwardedFor('10.0.0.3, 10.0.0.2')), '10.0.0.3');
    assert.equal(read('10.0.0.1', []), '10.0.0.1');
    assert.deepEqual(warnings, []);
  });

  it('reads ports and brackets', () => {
    const { read } = create('10.0.0.1');
    for (const [hop, address] of [
      ['198.51.100.1:4711', '198.51.100.1'],
      ['[2001:db8::7]', '2001:db8::7'],
      ['[2001:db8::7]:443', '2001:db8::7'],
      [' ::ffff:198.51.100.1 ', '198.51.100.1'],
    ] as const) {
      assert.equal(read('10.0.0.1', forwardedFor(hop)), address);
    }
  });

  it('security: garbage ends the walk at the last trusted hop', () => {
    const { read } = create('10.0.0.0/8');
    const garbage = [
      'unknown',
      '_hidden',
      '0x7f.1',
      '010.1.1.1',
      '1.2.3',
      '1.2.3.4:',
      '[::1',
      '::1]:1',
      '1.2.3.4;',
      '<script>',
    ];
    for (const hop of garbage) {
      assert.equal(read('10.0.0.1', forwardedFor(`198.51.100.1, ${hop}, 10.0.0.2`)), '10.0.0.2', hop);
    }
  });

  it('passes over empty elements, which RFC 9110 counts for nothing', () => {
    const { read } = create('10.0.0.0/8');
    for (const value of [
      '198.51.100.1, , 10.0.0.2',
      '198.51.100.1,,,',
      ',198.51.100.1, \t,10.0.0.2,',
      ' 198.51.100.1 ,',
    ]) {
      assert.equal(read('10.0.0.1', forwardedFor(value)), '198.51.100.1', value);
    }
    assert.equal(read('10.0.0.1', forwardedFor('198.51.100.1', '', ' , ')), '198.51.100.1');
    assert.equal(read('10.0.0.1', forwardedFor('', ',,')), '10.0.0.1');
  });

  it('security: walks no more than 32 elements, however many came and whatever they hold', () => {
    const { read } = create('::1');
    const walk = (count: number) => read('::1', forwardedFor(`198.51.100.1${',::1'.repeat(count)}`));
    assert.equal(walk(31), '198.51.100.1');
    assert.equal(walk(32), '::1');
    assert.equal(
      read('::1', forwardedFor('198.51.100.1', ...Array.from({ length: 32 }, () => '::1'))),
      '::1',
    );
    assert.equal(read('::1', forwardedFor(`198.51.100.1${','.repeat(16_000)}`)), '::1');

    const costOf = (value: string): number => {
      const costs = Array.from({ length: 9 }, () => {
        const start = process.cpuUsage();
        for (let turn = 0; turn < 50; turn += 1) read('::1', forwardedFor(value));
        const { user, system } = process.cpuUsage(start);
        return user + system;
      });
      return Math.min(...costs);
    };
    assert.ok(
      costOf('::1,'.repeat(4_000)) < 20 * costOf('::1,'.repeat(40)),
      'it would be a hundred times as much',
    );
  });

  it('knows each connection by its own address, in whatever order requests come', () => {
    const { read, isTrusted } = create('10.0.0.0/8');
    const lines = forwardedFor('198.51.100.1');
    for (let turn = 0; turn < 2; turn += 1) {
      assert.equal(read('10.0.0.1', lines), '198.51.100.1');
      assert.equal(isTrusted('10.0.0.1'), true);
      assert.equal(isTrusted('203.0.113.7'), false);
      assert.equal(read('203.0.113.7', lines), '203.0.113.7');
      assert.equal(read('10.0.0.2', []), '10.0.0.2');
      assert.equal(read(undefined, lines), 'unknown');
    }
  });

  it('tells a trusted connection from another', () => {
    const { isTrusted } = create('10.0.0.0/8', '::ffff:192.0.2.0/120', '2001:db8::/32');
    for (const address of ['10.255.0.1', '::ffff:10.0.0.1', '192.0.2.77', '2001:db8:1::1']) {
      assert.equal(isTrusted(address), true, address);
    }
    for (const address of ['11.0.0.1', '192.0.3.1', '2001:db9::1', '::1', 'unknown', '', undefined]) {
      assert.equal(isTrusted(address), false, String(address));
    }
  });

  it('refuses a trusted proxy that is no address and no CIDR', () => {
    for (const text of [
      '',
      'loopback',
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.0/8/8',
      '10.0.0.0/-1',
      '2001:db8::/129',
      '10/8',
    ]) {
      assert.throws(() => create(text), RangeError, text);
    }
  });
});

describe('toAddressKey', () => {
  it('security: all addresses of one IPv6 customer (/56) share one key', () => {
    const key = toAddressKey('2001:db8:0:12ab::1');
    assert.equal(key, '2001:db8:0:1200::/56');
    assert.equal(toAddressKey('2001:db8:0:12ab:ffff::9'), key);
    assert.equal(toAddressKey('2001:db8:0:12ff::1'), key);
    assert.notEqual(toAddressKey('2001:db8:0:13ab::1'), key);
  });

  it('keeps an IPv4 address, however written, and what is none', () => {
    assert.equal(toAddressKey('203.0.113.7'), '203.0.113.7');
    assert.equal(toAddressKey('unknown'), 'unknown');
  });
});
