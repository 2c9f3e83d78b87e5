import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEnrollmentClient } from '../../src/client.ts';
import { startService } from '../support/service.ts';

const SET = 'androidDeviceOwnerEnrollmentProfiles';
const ALL = 'EnrollmentToken.Create EnrollmentToken.Read EnrollmentToken.Revoke';

test('the typed client: create and get the token, list, get, QR code, revoke, an error', async (t) => {
  const service = await startService(t);
  const client = createEnrollmentClient({
    baseUrl: service.url,
    getToken: () => service.entra.issueToken({ scope: ALL }),
  });
  const path = { set: SET, id: service.graph.profiles.deviceOwner } as const;

  const created = await client.POST('/beta/deviceManagement/{set}/{id}/createToken', {
    params: { path, header: { Prefer: 'return=representation' } },
    body: { tokenValidityInSeconds: 3600 },
  });
  assert.equal(created.data?.tokenValue, service.graph.journal.commits[0]?.tokenValue);

  const list = await client.GET('/beta/deviceManagement/{set}', { params: { path, query: { $top: 1 } } });
  assert.equal(list.data?.value.length, 1);
  assert.match(list.data?.['@odata.nextLink'] ?? '', /\$skiptoken=/);

  const profile = await client.GET('/beta/deviceManagement/{set}/{id}', { params: { path } });
  assert.equal(profile.data?.tokenState, 'expiring');

  const image = await client.GET('/beta/deviceManagement/{set}/{id}/qrCodeImage', {
    params: { path },
    headers: { Accept: 'image/png' },
    parseAs: 'blob',
  });
  assert.equal(image.data?.type, 'image/png');

  const revoked = await client.POST('/beta/deviceManagement/{set}/{id}/revokeToken', { params: { path } });
  assert.equal(revoked.response.status, 204);

  const refused = await client.GET('/beta/deviceManagement/{set}/{id}/enrollmentToken', { params: { path } });
  assert.ok(refused.error && 'error' in refused.error);
  assert.equal(refused.error.error.innerError.code, 'profile_not_found');
});
