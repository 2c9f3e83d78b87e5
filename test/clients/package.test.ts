import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { createConsumer } from './support/consumer.ts';

const compiler = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc');

const STRICT = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023', 'dom'],
    module: 'nodenext',
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    // The declarations of the package are held to it too.
    skipLibCheck: false,
  },
  files: ['program.ts'],
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

  test('its types hold a program of a stranger to the document', async () => {
    await writeFile(join(consumer.directory, 'program.ts'), PROGRAM);
    await writeFile(join(consumer.directory, 'tsconfig.json'), JSON.stringify(STRICT));
    const checked = promisify(execFile)(process.execPath, [compiler, '-p', consumer.directory]);
    const { stdout } = await checked.catch((error: unknown) => Object(error));
    assert.equal(stdout, '');
  });
});
