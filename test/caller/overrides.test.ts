import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const require = createRequire(import.meta.url);
const strategy = createRequire(require.resolve('passport-azure-ad'));
const nodeJose = createRequire(strategy.resolve('node-jose'));
const cacheManager = createRequire(strategy.resolve('cache-manager'));

/** The version of the package that this module would load, found as Node finds it. */
function versionOf(from: NodeJS.Require, name: string): string {
  for (const folder of from.resolve.paths(name) ?? []) {
    const manifest = readManifest(from, `${folder}/${name}/package.json`);
    if (manifest !== undefined) return manifest;
  }
  return assert.fail(`${name} is not installed`);
}

function readManifest(from: NodeJS.Require, path: string): string | undefined {
  try {
    const manifest: unknown = from(path);
    return typeof manifest === 'object' && manifest !== null && 'version' in manifest
      ? String(manifest.version)
      : undefined;
  } catch {
    return undefined;
  }
}

const lifted = [
  ['passport', strategy, /^0\.7\./],
  ['jws', strategy, /^4\./],
  ['async', strategy, /^3\.(?:2\.[6-9]|[3-9])/],
  ['async', cacheManager, /^3\.(?:2\.[6-9]|[3-9])/],
  ['uuid', nodeJose, /^11\./],
  ['lodash', strategy, /^4\.(?:17\.2[1-9]|1[89])/],
] as const;

for (const [name, from, expected] of lifted) {
  test(`passport-azure-ad stands on ${name} ${expected.source}`, () => {
    assert.match(versionOf(from, name), expected);
  });
}

test('https-proxy-agent stays below 7, which passport-azure-ad cannot load', () => {
  assert.match(versionOf(strategy, 'https-proxy-agent'), /^5\./);
});
