import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { startService } from '../support/service.ts';
import { readSnippet } from './support/readme-snippets.ts';

const directories = (process.env['PATH'] ?? '').split(delimiter);
const chromium = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => directories.map((directory) => join(directory, name)))
  .find((path) => existsSync(path));
const skip = chromium === undefined ? 'chromium is not installed (Debian: apt-get install chromium)' : false;

/** The document as it stands when the page has nothing left to do, and what the browser complained about. */
async function browse(t: TestContext, url: string): Promise<Readonly<{ page: string; complaints: string }>> {
  const profile = await mkdtemp(join(tmpdir(), 'chromium-'));
  t.after(() => rm(profile, { recursive: true, force: true }));
  const options = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--no-first-run',
    '--no-proxy-server',
    `--user-data-dir=${profile}`,
    '--enable-logging=stderr',
    '--virtual-time-budget=120000',
    '--dump-dom',
    url,
  ];
  const { stdout, stderr } = await promisify(execFile)(chromium ?? '', options, {
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  const complaints = stderr.split('\n').filter((line) => line.includes('CONSOLE'));
  return { page: stdout, complaints: complaints.join('\n') };
}

const wholePage = await readFile(join(import.meta.dirname, 'page.html'), 'utf8');

/** What the README shows, between what a page that has it would have around it. */
const shownPage = `<!doctype html><img alt="QR code"><pre id="result"></pre>
<script type="module">
  const [service, id, token] = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  const profile = service + '/beta/deviceManagement/androidDeviceOwnerEnrollmentProfiles/' + id;
  const image = document.querySelector('img');
  ${readSnippet('page', {})}
  await image.decode();
  document.querySelector('#result').textContent = image.naturalWidth;
</script>`;

async function servePage(t: TestContext, page = wholePage): Promise<string> {
  const server = createServer((_request, response) =>
    response.setHeader('Content-Type', 'text/html').end(page),
  );
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

describe('a browser', { skip }, () => {
  test('creates a token from a page of another origin, shows its QR code and reads an error', async (t) => {
    const origin = await servePage(t);
    const service = await startService(t, { environment: { CORS_ORIGINS: origin } });
    const token = await service.entra.issueToken({ scope: 'EnrollmentToken.Create EnrollmentToken.Read' });
    const input = encodeURIComponent(
      JSON.stringify([service.url, service.graph.profiles.deviceOwner, token]),
    );
    const { page, complaints } = await browse(t, `${origin}/#${input}`);
    const text = /<pre id="result">(.*?)<\/pre>/.exec(page)?.[1] ?? '';
    assert.notEqual(text, '', complaints);
    const { requestId, width, ...result }: Record<string, unknown> = JSON.parse(text);
    assert.match(String(requestId), /^[0-9a-f-]{36}$/);
    assert.ok(Number(width) > 20, 'the QR code was decoded');
    assert.deepEqual(result, {
      tokenValue: service.graph.journal.commits[0]?.tokenValue,
      applied: 'return=representation',
      fileName: 'attachment; filename="Scanners-qr-code.png"',
      code: 'profile_not_found',
      limits: result['limits'],
    });
    assert.match(String(result['limits']), /^"address";r=\d+/);
  });

  test('shows a QR code as the README does it', async (t) => {
    const origin = await servePage(t, shownPage);
    const service = await startService(t, { environment: { CORS_ORIGINS: origin } });
    const { deviceOwner } = service.graph.profiles;
    service.graph.store.createToken('androidDeviceOwnerEnrollmentProfiles', deviceOwner, 3600);
    const input = JSON.stringify([service.url, deviceOwner, await service.entra.issueToken()]);
    const { page, complaints } = await browse(t, `${origin}/#${encodeURIComponent(input)}`);
    assert.match(page, /<pre id="result">\d\d+<\/pre>/, complaints);
  });

  test('a page of an origin that is not listed gets nothing', async (t) => {
    const origin = await servePage(t);
    const service = await startService(t);
    const input = encodeURIComponent(JSON.stringify([service.url, service.graph.profiles.deviceOwner, 'x']));
    const { page } = await browse(t, `${origin}/#${input}`);
    assert.match(page, /<pre id="result"><\/pre>/);
    assert.equal(service.graph.journal.requests.length, 0);
  });

  test('/docs shows every operation, asks for no token and breaks no rule of its policy', async (t) => {
    const service = await startService(t);
    const { page, complaints } = await browse(t, `${service.url}/docs`);
    for (const summary of ['Create an enrollment token', 'List enrollment profiles']) {
      assert.ok(page.includes(summary), `${summary} is not there: ${complaints}`);
    }
    assert.doesNotMatch(page, /<button[^>]*authoriz/i);
    assert.equal(complaints, '');
  });
});
