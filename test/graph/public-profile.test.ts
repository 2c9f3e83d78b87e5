import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseListQuery, toQueryText } from '../../src/graph/list-query.ts';
import { parseProfilePage } from '../../src/graph/profile-page.ts';
import { toPublicProfile } from '../../src/graph/public-profile.ts';
import { toTokenState } from '../../src/graph/token-state.ts';

const NOW = Date.parse('2026-11-24T00:00:00Z');
const SET = 'androidDeviceOwnerEnrollmentProfiles';
const ID = 'd0d0d0d0-0000-4000-8000-00000000d0a1';

describe('a public profile', () => {
  test('holds the allowed fields only, whatever Graph sends', () => {
    const profile = toPublicProfile(
      {
        id: ID,
        displayName: 'Scanners',
        description: null,
        enrolledDeviceCount: 3,
        roleScopeTagIds: ['0'],
        tokenExpirationDateTime: '2026-12-24T00:00:00Z',
        wifiPassword: 'secret',
        accountId: 'secret',
        tokenValue: 'secret',
        qrCodeContent: 'secret',
        qrCodeImage: { value: 'secret' },
        wifiSsid: 'secret',
        somethingNew: 'secret',
      },
      SET,
      NOW,
    );
    assert.deepEqual(profile, {
      id: ID,
      displayName: 'Scanners',
      description: null,
      enrolledDeviceCount: 3,
      roleScopeTagIds: ['0'],
      tokenExpirationDateTime: '2026-12-24T00:00:00Z',
      tokenState: 'valid',
    });
  });

  test('leaves out an allowed field that holds another type, where a secret could hide', () => {
    const hostile = {
      id: ID,
      displayName: { wifiPassword: 'secret' },
      roleScopeTagIds: [{ wifiPassword: 'secret' }],
    };
    assert.deepEqual(toPublicProfile(hostile, SET, NOW), { id: ID, tokenState: 'none' });
  });

  for (const json of [undefined, null, [], 'x', {}, { id: 7 }, { id: '' }]) {
    test(`${JSON.stringify(json)} is none`, () => {
      assert.throws(() => toPublicProfile(json, SET, NOW), { code: 'upstream_invalid' });
    });
  }
});

test('tokenState: none, valid, expiring within 14 days, expired', () => {
  for (const [end, state] of [
    [undefined, 'none'],
    [null, 'none'],
    ['', 'none'],
    ['never', 'none'],
    ['0001-01-01T00:00:00Z', 'none'],
    ['2026-11-23T23:59:59Z', 'expired'],
    ['2026-11-24T00:00:00Z', 'expired'],
    ['2026-11-24T00:00:01.0000000Z', 'expiring'],
    ['2026-12-08T00:00:00Z', 'expiring'],
    ['2026-12-08T00:00:00.001Z', 'valid'],
  ] as const) {
    assert.equal(toTokenState(end, NOW), state, String(end));
  }
});

describe('the link to the next page', () => {
  const context = {
    set: SET,
    query: { top: 2, orderBy: 'desc' },
    graphBaseUrl: 'https://graph.example',
    now: NOW,
  } as const;
  const toNext = (link: unknown) => parseProfilePage({ value: [], '@odata.nextLink': link }, context).next;

  test('keeps of Graph only where to go on; filter and order stay ours', () => {
    const link = `https://graph.example/beta/deviceManagement/${SET}?$select=wifiPassword&$top=2&$orderby=x&$skiptoken=LastName%3d%27a%27`;
    assert.deepEqual(toNext(link), { orderBy: 'desc', top: 2, skipToken: "LastName='a'" });
    assert.deepEqual(toNext('https://graph.example/x?$skip=2'), { orderBy: 'desc', skip: 2 });
    assert.equal(toNext(undefined), undefined);
    assert.equal(toNext(null), undefined);
  });

  test('a page larger than may be asked for here is not asked for: the link would be refused', () => {
    for (const [top, kept] of [
      ['999', 999],
      ['1000', undefined],
      ['9999999', undefined],
      ['0', undefined],
    ] as const) {
      const next = toNext(`https://graph.example/x?$top=${top}&$skiptoken=a`);
      assert.equal(next?.top, kept, top);
      assert.deepEqual(parseListQuery(toQueryText(next ?? {})), next);
    }
  });

  for (const link of [
    'https://evil.example/beta?$skiptoken=a',
    'https://graph.example.evil.example/?$skiptoken=a',
    'http://graph.example/?$skiptoken=a',
    'https://graph.example:8443/?$skiptoken=a',
    '/beta?$skiptoken=a',
    'https://graph.example/beta',
    'https://graph.example/beta?$skiptoken=',
    'https://graph.example/beta?$skiptoken=https%3A%2F%2Fgraph.example%2F',
    'https://graph.example/beta?$skiptoken=a%0db',
    'https://graph.example/beta?$skip=-1',
    'https://graph.example/beta?$skip=1000001',
    'https://graph.example/beta?$skip=-1&$skiptoken=a',
    'not a link',
  ]) {
    test(`is no good: ${link}`, () => {
      assert.throws(() => toNext(link), { code: 'upstream_invalid' });
    });
  }

  test('a page that is none is upstream_invalid', () => {
    for (const json of [
      undefined,
      null,
      {},
      { value: {} },
      { value: [null] },
      { value: [], '@odata.nextLink': 5 },
    ]) {
      assert.throws(() => parseProfilePage(json, context), { code: 'upstream_invalid' });
    }
  });
});
