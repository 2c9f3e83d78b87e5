import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { parseRedisUrl } from '../../src/limits/redis-target.ts';
import { Secret } from '../../src/secret.ts';

function parse(url: string) {
  return parseRedisUrl(new Secret(url));
}

describe('parseRedisUrl', () => {
  it('reads a single server', () => {
    assert.deepEqual(parse('redis://localhost'), {
      kind: 'single',
      tls: false,
      nodes: [{ host: 'localhost', port: 6379 }],
    });
    assert.deepEqual(parse('rediss://app:p%40ss%2F@[::1]:7000/3'), {
      kind: 'single',
      tls: true,
      nodes: [{ host: '::1', port: 7000 }],
      username: 'app',
      password: 'p@ss/',
      database: 3,
    });
    assert.equal(parse('redis://:secret@cache.example:6380/').password, 'secret');
  });

  it('reads sentinels and a cluster', () => {
    assert.deepEqual(parse('redis-sentinel://:pw@s1,s2:26380/1#main'), {
      kind: 'sentinel',
      tls: false,
      nodes: [
        { host: 's1', port: 26379 },
        { host: 's2', port: 26380 },
      ],
      password: 'pw',
      database: 1,
      master: 'main',
    });
    assert.deepEqual(parse('rediss-cluster://10.0.0.1:7000,10.0.0.2:7000').nodes.length, 2);
  });

  it('security: says what is wrong without repeating the value', () => {
    for (const url of [
      '',
      'hunter2',
      'http://hunter2@x',
      'redis://a,b?hunter2',
      'redis://:hunter2@a,b',
      'redis://:hunter2@a:99999',
      'redis://:hunter2%@a',
      'redis://:hunter2@',
      'redis-sentinel://:hunter2@a',
      'redis://:hunter2@a#main',
      'redis-cluster://:hunter2@a/2',
    ]) {
      assert.throws(
        () => parse(url),
        (error) =>
          error instanceof RangeError &&
          /REDIS_URL/.test(error.message) &&
          !inspect(error).includes('hunter2'),
        url,
      );
    }
  });
});
