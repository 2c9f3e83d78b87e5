import { randomBytes } from 'node:crypto';
import { createCertificateAuthority } from '../sandbox/certificate-authority.ts';
import { TENANT_ID } from '../sandbox/directory.ts';
import { createTokenIssuer } from '../sandbox/entra/access-token.ts';
import { toMetadata } from '../sandbox/entra/metadata.ts';
import { createSigningKeys } from '../sandbox/entra/signing-keys.ts';
import { findFreePort, LOAD_CORE, startProcess } from './process.ts';
import type { Upstream } from './upstream.ts';
import type { Workspace } from './workspace.ts';

/** Characters of a Graph token; real ones have between 1 500 and 2 500. */
const GRAPH_TOKEN_LENGTH = 1800;

/** Entra's and Graph's answers as fixed texts over HTTPS, so that the upstream takes as little of its core as can be. */
export async function startNginxUpstream(workspace: Workspace): Promise<Upstream> {
  const ca = await createCertificateAuthority();
  const keys = await createSigningKeys();
  const own = await ca.issue();
  workspace.write('upstream.crt', own.cert);
  workspace.write('upstream.key', own.key);
  const port = await findFreePort();
  const url = `https://127.0.0.1:${port}`;
  const graphToken = randomBytes(GRAPH_TOKEN_LENGTH).toString('base64url').slice(0, GRAPH_TOKEN_LENGTH);
  const configuration = workspace.fill('upstream.conf', 'upstream.conf', {
    PORT: String(port),
    TOKEN_ANSWER: JSON.stringify({
      token_type: 'Bearer',
      scope: `${url}/.default`,
      expires_in: 4800,
      ext_expires_in: 4800,
      access_token: graphToken,
    }),
    METADATA: JSON.stringify(toMetadata(url, TENANT_ID, '2.0')),
    KEYS: JSON.stringify(keys.published()),
  });
  const { stop } = await startProcess({
    command: ['nginx', '-p', workspace.path(''), '-c', configuration],
    core: LOAD_CORE,
    outputFile: workspace.path('upstream.log'),
    port,
  });
  return {
    name: 'nginx',
    authorityHost: url,
    graphUrl: url,
    caFile: workspace.write('ca.pem', ca.caPem),
    clientSecret: randomBytes(24).toString('base64url'),
    publicKey: keys.current().publicKey,
    issueToken: createTokenIssuer({ authorityHost: url, currentKey: keys.current, now: Date.now }),
    graphToken,
    stop,
  };
}
