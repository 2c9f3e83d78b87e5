import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { startService } from '../support/service.ts';
import { openPage, skipWithoutChromium } from './support/chromium.ts';
import { readSnippet } from './support/readme-snippets.ts';

/** Empty until the page is done. */
const RESULT = "document.querySelector('#result')?.textContent";

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

describe('a browser', { skip: skipWithoutChromium }, () => {
  test('creates a token from a page of another origin, shows its QR code and reads an error', async (t) => {
    const origin = await servePage(t);
    const service = await startService(t, { environment: { CORS_ORIGINS: origin } });
    const token = await service.entra.issueToken({ scope: 'EnrollmentToken.Create EnrollmentToken.Read' });
    const input = encodeURIComponent(
      JSON.stringify([service.url, service.graph.profiles.deviceOwner, token]),
    );
    const page = await openPage(t, `${origin}/#${input}`);
    const text = String(await page.read(RESULT));
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
    const page = await openPage(t, `${origin}/#${encodeURIComponent(input)}`);
    assert.match(String(await page.read(RESULT)), /^\d\d+$/);
  });

  test('a page of an origin that is not listed gets nothing', async (t) => {
    const origin = await servePage(t);
    const service = await startService(t);
    const input = encodeURIComponent(JSON.stringify([service.url, service.graph.profiles.deviceOwner, 'x']));
    const page = await openPage(t, `${origin}/#${input}`);
    assert.match(await page.complaint(), /blocked by CORS policy|Failed to fetch/);
    assert.equal(await page.evaluate(RESULT), '');
    assert.equal(service.graph.journal.requests.length, 0);
  });

  test('/docs shows every operation, asks for no token and breaks no rule of its policy', async (t) => {
    const service = await startService(t);
    const page = await openPage(t, `${service.url}/docs`);
    for (const summary of ['Create an enrollment token', 'List enrollment profiles']) {
      await page.read(`document.body?.textContent.includes('${summary}')`);
    }
    assert.doesNotMatch(String(await page.evaluate('document.body.innerHTML')), /<button[^>]*authoriz/i);
    // By then what was shown last has been painted, with all that it asks for.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    assert.deepEqual(page.complaints, []);
  });
});
