import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseListQuery, toQueryText, type ListQuery } from '../../src/graph/list-query.ts';

const INVALID = { code: 'invalid_query' };

test('every accepted option is understood, and written anew for Graph', () => {
  const query = parseListQuery(
    '$top=5&%24skip=10&$filter=displayName%20eq%20%27O%27%27Neill%27%20and%20tokenExpirationDateTime+lt+2026-12-01T00:00:00Z&$orderby=tokenExpirationDateTime%20desc',
  );
  assert.deepEqual(query, {
    top: 5,
    skip: 10,
    filter: [
      { field: 'displayName', operator: 'eq', text: "O'Neill" },
      { field: 'tokenExpirationDateTime', operator: 'lt', moment: '2026-12-01T00:00:00Z' },
    ],
    orderBy: 'desc',
  });
  assert.equal(
    toQueryText(query, ['id', 'displayName']),
    "$select=id,displayName&$top=5&$skip=10&$filter=displayName%20eq%20'O''Neill'%20and%20tokenExpirationDateTime%20lt%202026-12-01T00%3A00%3A00Z&$orderby=tokenExpirationDateTime%20desc",
  );
  assert.deepEqual(parseListQuery(''), {});
  assert.deepEqual(parseListQuery('$orderby=tokenExpirationDateTime'), { orderBy: 'asc' });
  assert.deepEqual(parseListQuery("$filter=startswith(displayName,'a')").filter, [
    { field: 'displayName', operator: 'startswith', text: 'a' },
  ]);
});

test('a moment goes to Graph to the digit: a JavaScript date would cut it to milliseconds', () => {
  for (const moment of [
    '2026-12-24T09:00:00.1234567Z',
    '2026-12-24T09:00:00.1Z',
    '2026-12-24T09:00Z',
    '2028-02-29T23:59:59Z',
    '0001-01-01T00:00:00Z',
  ]) {
    const query = parseListQuery(`$filter=tokenExpirationDateTime eq ${moment}`);
    assert.equal(decodeURIComponent(toQueryText(query)), `$filter=tokenExpirationDateTime eq ${moment}`);
  }
});

test('options, operators, functions and directions in any case; what goes to Graph is in one', () => {
  for (const [asked, sent] of [
    ["$filter=startsWith(displayName,'Ab')", "$filter=startswith(displayName,'Ab')"],
    ["$Filter=CONTAINS(displayName,'Ab')", "$filter=contains(displayName,'Ab')"],
    [
      "$filter=displayName EQ 'And' AND tokenExpirationDateTime Lt 2026-12-01T00:00:00Z",
      "$filter=displayName eq 'And' and tokenExpirationDateTime lt 2026-12-01T00:00:00Z",
    ],
    ['$orderBy=tokenExpirationDateTime DESC', '$orderby=tokenExpirationDateTime desc'],
    [
      '$ORDERBY=tokenExpirationDateTime Asc&$TOP=5&$skipToken=aB',
      '$top=5&$orderby=tokenExpirationDateTime asc&$skiptoken=aB',
    ],
  ] as const) {
    assert.equal(decodeURIComponent(toQueryText(parseListQuery(asked))), sent);
  }
});

const REFUSED = [
  '$select=wifiPassword',
  '%24select=wifiPassword',
  '$SELECT=wifiPassword',
  'select=wifiPassword',
  '$expand=*',
  '$count=true',
  '$search=x',
  '$format=xml',
  '$top=0',
  '$top=1000',
  '$top=1e2',
  '$top=-1',
  '$top=5&$top=6',
  '$top=5&$TOP=6',
  '$skip=1.5',
  '$skiptoken=',
  '$skiptoken=a%00b',
  '$skiptoken=%ed%a0%80',
  `$skiptoken=${'x'.repeat(5000)}`,
  '$filter=',
  "$filter=wifiPassword eq 'x'",
  "$filter=displayName eq 'x' or 1 eq 1",
  "$filter=displayName eq 'x')",
  "$filter=displayName eq 'x'&$filter=displayName eq 'y'",
  "$filter=displayName eq 'it's'",
  '$filter=tokenExpirationDateTime lt 2026-13-01T00:00:00Z',
  '$filter=tokenExpirationDateTime lt 2026-02-30T00:00:00Z',
  '$filter=tokenExpirationDateTime lt 2026-02-29T00:00:00Z',
  '$filter=tokenExpirationDateTime lt 2026-04-31T00:00:00Z',
  '$filter=tokenExpirationDateTime lt 2026-12-01T24:00:00Z',
  '$filter=tokenExpirationDateTime lt 2026-12-01T00:00:60Z',
  '$filter=tokenExpirationDateTime lt 2026-12-01',
  '$filter=tokenExpirationDateTime startswith 2026-12-01T00:00:00Z',
  "$filter=displayName lt 'x'",
  "$filter=endswith(displayName,'x')",
  "$filter=DisplayName eq 'x'",
  "$filter=contains(wifiPassword,'a')",
  `$filter=${Array.from({ length: 5 }, () => "displayName eq 'x'").join(' and ')}`,
  '$orderby=wifiPassword',
  '$orderby=tokenExpirationDateTime,wifiPassword',
  '$orderby=tokenExpirationDateTime down',
  '$filter',
  '&',
  '$top=5&',
  '%',
  '$top=%zz',
  'constructor=1',
  '__proto__=1',
];

for (const query of REFUSED) {
  test(`refused: ${query.slice(0, 60)}`, () => {
    assert.throws(() => parseListQuery(query), INVALID);
  });
}

const arbitraryQuery: fc.Arbitrary<ListQuery> = fc.record(
  {
    top: fc.integer({ min: 1, max: 999 }),
    skip: fc.integer({ min: 0, max: 1_000_000 }),
    skipToken: fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text)),
    filter: fc.array(
      fc.oneof(
        fc.record({
          field: fc.constant('displayName' as const),
          operator: fc.constantFrom('eq', 'ne', 'startswith', 'contains'),
          text: fc
            .string({ maxLength: 40, unit: 'grapheme' })
            .filter((text) => text.length < 120 && !/[\p{Cc}\p{Cs}]/u.test(text)),
        }),
        fc.record({
          field: fc.constant('tokenExpirationDateTime' as const),
          operator: fc.constantFrom('eq', 'ne', 'lt', 'le', 'gt', 'ge'),
          moment: fc
            .integer({ min: 0, max: Date.parse('9999-12-31T23:59:59Z') })
            .map((at) => new Date(at).toISOString().replace('Z', '4567Z')),
        }),
      ),
      { minLength: 1, maxLength: 4 },
    ),
    orderBy: fc.constantFrom('asc' as const, 'desc' as const),
  },
  { requiredKeys: [] },
);

test('what is written is understood as what it was written from', () => {
  fc.assert(
    fc.property(arbitraryQuery, (query) =>
      assert.deepEqual(parseListQuery(toQueryText(query)), structuredClone(query)),
    ),
  );
});

test('whatever a caller writes, either it is refused or nothing but the accepted options comes of it', () => {
  const fragment = fc.constantFrom(
    '$select',
    '$filter',
    '$top',
    '=',
    '&',
    '%24',
    "'",
    ' and ',
    'displayName',
    'eq',
    '1',
    '%',
    '#',
    '?',
  );
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
      let query: ListQuery;
      try {
        query = parseListQuery(fragments.join(''));
      } catch (error) {
        assert.equal(Object(error).code, 'invalid_query');
        return;
      }
      const sent = new URLSearchParams(toQueryText(query, ['id']));
      assert.deepEqual(sent.getAll('$select'), ['id']);
    }),
  );
});
