import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8');
const clients = /^### Clients$(.*?)^##+ /ms.exec(readme)?.[1] ?? '';

/** The clients that the README shows, as it names them in bold. */
export const SNIPPETS = ['curl', 'Microsoft Graph JavaScript SDK', 'typed client', 'page'] as const;
export type Snippet = (typeof SNIPPETS)[number];

/** How many pieces of code the section has. */
export const countSnippets = (): number => clients.match(/^```\w+$/gm)?.length ?? 0;

/** The code that the README shows for a client; `places` are put where it has examples, the longest first. */
export function readSnippet(name: Snippet, places: Readonly<Record<string, string>>): string {
  const [, code = ''] =
    new RegExp(`\\*\\*${name}\\*\\*.*?^\`\`\`\\w+\n(.*?)^\`\`\`$`, 'ms').exec(clients) ?? [];
  return Object.entries(places)
    .toSorted(([one], [other]) => other.length - one.length)
    .reduce((text, [example, place]) => {
      assert.ok(code.includes(example), `the README no longer has ${example} for ${name}`);
      return text.replaceAll(example, place);
    }, code);
}
