import {
  createCertificateAuthority,
  type CertificateAuthority,
} from '../../sandbox/certificate-authority.ts';
import { startEntra, type Entra, type EntraOptions } from '../../sandbox/entra.ts';
import { startGraph, type Graph, type GraphOptions } from '../../sandbox/graph.ts';

export type Sandbox = Readonly<{
  ca: CertificateAuthority;
  entra: Entra;
  graph: Graph;
  close: () => Promise<void>;
}>;

export type SandboxOptions = Readonly<{
  entra?: Omit<EntraOptions, 'ca'>;
  graph?: Omit<GraphOptions, 'ca' | 'entra'>;
}>;

/** Both sandbox servers on free ports, trusting each other. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const ca = await createCertificateAuthority();
  const entra = await startEntra({ ca, ...options.entra });
  const graph = await startGraph({ ca, entra, ...options.graph });
  return {
    ca,
    entra,
    graph,
    close: async () => {
      await Promise.all([entra.close(), graph.close()]);
    },
  };
}
