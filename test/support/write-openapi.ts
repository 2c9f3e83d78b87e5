// Writes openapi.json and the types of the client after the tables in the code. The generator of the types needs a TypeScript with
// a compiler API, which this project's does not have, so it is fetched for the moment of its use.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPENAPI } from '../../src/openapi/document.ts';

const root = join(import.meta.dirname, '../..');
const document = join(root, 'openapi.json');
const types = join(root, 'src/client/paths.ts');

const text = `${JSON.stringify(OPENAPI, null, 2)}\n`;
writeFileSync(document, text);
mkdirSync(join(root, 'src/client'), { recursive: true });
const packages = ['openapi-typescript@7.13.0', 'typescript@5.9.3'].flatMap((name) => ['--package', name]);
execFileSync(
  'npx',
  ['--yes', ...packages, '--', 'openapi-typescript', document, '--output', types, '--immutable'],
  {
    stdio: 'inherit',
  },
);
const hash = (content: string) => createHash('sha256').update(content).digest('hex');
const generated = readFileSync(types, 'utf8');
// A test compares both, because it cannot generate anew.
const origin = `// Of openapi.json with SHA-256 ${hash(text)}\n// What follows has SHA-256 ${hash(generated)}\n`;
writeFileSync(types, `${origin}${generated}`);
