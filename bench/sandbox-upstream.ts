import { createCertificateAuthority } from '../sandbox/certificate-authority.ts';
import { startEntra } from '../sandbox/entra.ts';
import { createDeviceOwnerProfile } from '../sandbox/graph/profile.ts';
import { startGraph } from '../sandbox/graph.ts';
import { PROFILE_SET, toProfileIds } from './requests.ts';
import type { Upstream } from './upstream.ts';
import type { Workspace } from './workspace.ts';

/** The sandbox in this process, where nginx is not installed. It takes more of its core, so the servers are kept less busy. */
export async function startSandboxUpstream(workspace: Workspace): Promise<Upstream> {
  const ca = await createCertificateAuthority();
  const entra = await startEntra({ ca });
  const graph = await startGraph({ ca, entra, quota: 'off' });
  const seed = { now: Date.now(), canary: '' };
  for (const id of toProfileIds()) {
    graph.store.put(
      PROFILE_SET,
      createDeviceOwnerProfile(id, 'Benchmark', 'corporateOwnedFullyManaged', seed),
    );
  }
  return {
    name: 'sandbox',
    authorityHost: entra.url,
    graphUrl: graph.url,
    caFile: workspace.write('ca.pem', ca.caPem),
    clientSecret: entra.clientSecret,
    publicKey: entra.keys.current().publicKey,
    issueToken: entra.issueToken,
    // The sandbox knows no such token: what cannot exchange is refused, and said to be.
    graphToken: 'none',
    stop: async () => {
      await graph.close();
      await entra.close();
    },
  };
}
