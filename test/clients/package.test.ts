import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { z } from 'zod';
import { startService } from '../support/service.ts';
import { createConsumer } from './support/consumer.ts';
import { readSnippet } from './support/readme-snippets.ts';

const compiler = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc');

const OPTIONS = {
  target: 'es2023',
  lib: ['es2023', 'dom'],
  module: 'nodenext',
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  // The declarations of the package are held to it too.
  skipLibCheck: false,
};

const PROGRAM = `import { createEnrollmentClient, type components } from 'enrollment-token-bff/client';

type Token = components['schemas']['EnrollmentToken'];
const client = createEnrollmentClient({ baseUrl: 'https://tokens.example', getToken: () => 'token' });
export async function create(id: string): Promise<Token | undefined> {
  const { data } = await client.POST('/beta/deviceManagement/{set}/{id}/createToken', {
    params: { path: { set: 'androidForWorkEnrollmentProfiles', id } },
    body: { tokenValidityInSeconds: 3600 },
  });
  return data;
}
// @ts-expect-error: a path that is none
void client.GET('/beta/deviceManagement/{set}/{id}/wifiPassword');
// @ts-expect-error: it is on the admin port
void client.GET('/metrics');
`;

const consumer = await createConsumer();

/** What the compiler has to say of a program of the consumer's; it leaves the JavaScript beside it. */
async function compile(name: string, program: string): Promise<string> {
  const { directory } = consumer;
  const config = join(directory, `${name}.json`);
  await writeFile(join(directory, name), program);
  await writeFile(config, JSON.stringify({ compilerOptions: OPTIONS, files: [name] }));
  const compiled = promisify(execFile)(process.execPath, [compiler, '-p', config]);
  const { stdout } = await compiled.catch((error: unknown) => z.object({ stdout: z.string() }).parse(error));
  return stdout;
}

describe('the package, packed from a fresh clone and installed', () => {
  test('holds the build, the document and the defaults, and nothing else of the repository', () => {
    const { files } = consumer;
    for (const file of ['dist/client.js', 'dist/client.d.ts', 'dist/main.js', 'config/default.json']) {
      assert.ok(files.includes(file), `${file} is missing`);
    }
    assert.deepEqual(
      files.filter((file) => !/^(?:dist\/|config\/|package\.json$|openapi\.json$|README\.md$)/.test(file)),
      [],
    );
  });

  test('gives the client and the document to an import', async () => {
    await writeFile(
      join(consumer.directory, 'import.mjs'),
      `import { createEnrollmentClient } from 'enrollment-token-bff/client';
      import document from 'enrollment-token-bff/openapi.json' with { type: 'json' };
      const client = createEnrollmentClient({ baseUrl: 'https://tokens.example', getToken: () => '' });
      console.log(typeof client.POST, document.openapi);`,
    );
    assert.equal(await consumer.run('import.mjs'), 'function 3.1.1\n');
  });

  test('runs what the README shows, and its types hold that to the document', async (t) => {
    const service = await startService(t);
    const { authorization } = await service.bearer();
    const snippet = readSnippet('typed client', { 'https://tokens.example': service.url });
    const program = `declare const process: { env: Record<string, string> };
      const { ID: id = '', TOKEN = '' } = process.env;
      const set = 'androidDeviceOwnerEnrollmentProfiles';
      const getToken = () => TOKEN;
      ${snippet}
      console.log(error ?? data?.tokenValue);`;
    assert.equal(await compile('snippet.mts', program), '');
    const environment = {
      ID: service.graph.profiles.deviceOwner,
      TOKEN: authorization.replace('Bearer ', ''),
    };
    assert.equal(
      await consumer.run('snippet.mjs', environment),
      `${service.graph.journal.commits[0]?.tokenValue}\n`,
    );
  });

  test('its types hold a program of a stranger to the document', async () => {
    assert.equal(await compile('program.mts', PROGRAM), '');
  });
});
