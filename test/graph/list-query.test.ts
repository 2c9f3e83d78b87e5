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
      { field: 'tokenExpirationDateTime', operator: 'lt', at: Date.parse('2026-12-01T00:00:00Z') },
    ],
    orderBy: 'desc',
  });
  assert.equal(
    toQueryText(query, ['id', 'displayName']),
    "$select=id,displayName&$top=5&$skip=10&$filter=displayName%20eq%20'O''Neill'%20and%20tokenExpirationDateTime%20lt%202026-12-01T00%3A00%3A00.000Z&$orderby=tokenExpirationDateTime%20desc",
  );
  assert.deepEqual(parseListQuery(''), {});
  assert.deepEqual(parseListQuery('$orderby=tokenExpirationDateTime'), { orderBy: 'asc' });
  assert.deepEqual(parseListQuery("$filter=startswith(displayName,'a')").filter, [
    { field: 'displayName', operator: 'startswith', text: 'a' },
  ]);
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
  '$filter=tokenExpirationDateTime lt 2026-12-01',
  "$filter=contains(wifiPassword,'a')",
  `$filter=${Array.from({ length: 5 }, () => "displayName eq 'x'").join(' and ')}`,
  '$orderby=wifiPassword',
  '$orderby=tokenExpirationDateTime,wifiPassword',
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
          at: fc.integer({ min: 0, max: Date.parse('9999-12-31T23:59:59Z') }),
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
