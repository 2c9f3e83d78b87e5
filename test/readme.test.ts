import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PROBLEMS } from '../src/errors.ts';
import { OPERATIONS } from '../src/graph/operations.ts';
import { SETTINGS } from '../src/settings/table.ts';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const defaults: unknown = JSON.parse(readFileSync(join(root, 'config/default.json'), 'utf8'));

/** The rows of the table between two marks, each as its cells. */
function readTable(mark: string): readonly (readonly string[])[] {
  const text = new RegExp(`<!-- ${mark} -->([\\s\\S]*?)<!-- /${mark} -->`).exec(readme)?.[1];
  assert.ok(text !== undefined, `README.md has no table ${mark}`);
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

test('the settings in the README are those in the code, with their meanings and defaults', () => {
  const shown = readTable('settings').map(([name, meaning, value]) => [name, meaning, value]);
  const required = new Set(['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'ALLOWED_CLIENT_IDS']);
  const toDefault = (name: string, meaning: string) => {
    if (required.has(name)) return 'required';
    if (meaning.startsWith('credential for the exchange')) return 'one of four';
    const value: unknown = Reflect.get(Object(defaults), name);
    return value === undefined ? 'unset' : `\`${JSON.stringify(value).replaceAll('"', '')}\``;
  };
  assert.deepEqual(
    shown,
    Object.entries(SETTINGS).map(([name, { meaning }]) => [`\`${name}\``, meaning, toDefault(name, meaning)]),
  );
});

test('the errors in the README are those in the code, with status, outer code and sentence', () => {
  assert.deepEqual(
    readTable('errors'),
    Object.entries(PROBLEMS).map(([code, { status, graphCode, title }]) => [
      `${status} \`${graphCode}\``,
      `\`${code}\``,
      title,
    ]),
  );
});

test('the routes in the README are those in the code', () => {
  const shown = readTable('routes').map(([route = '', scope = '']) => {
    const path = /^`(GET|POST) \/beta\/deviceManagement\/\{set\}([^`]*)`/.exec(route);
    return path ? `${path[1]} ${path[2]} ${scope}` : undefined;
  });
  assert.deepEqual(
    shown.filter((row) => row !== undefined),
    OPERATIONS.map(({ method, path, scope }) => `${method} ${path} \`${scope}\``),
  );
});
