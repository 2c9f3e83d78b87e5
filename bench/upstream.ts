import type { KeyObject } from 'node:crypto';
import type { IssueToken } from '../sandbox/entra/access-token.ts';

/** Entra and Graph as the servers see them. */
export type Upstream = Readonly<{
  /** Of the machine report. */
  name: string;
  authorityHost: string;
  graphUrl: string;
  /** PEM file of the authority that their certificates are from. */
  caFile: string;
  clientSecret: string;
  /** The key that callers' tokens are signed with. */
  publicKey: KeyObject;
  issueToken: IssueToken;
  /** A Graph token, for servers that cannot exchange. */
  graphToken: string;
  stop: () => Promise<void>;
}>;
