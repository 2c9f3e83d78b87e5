import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

/** One request as Graph saw it. */
export type RequestEntry = {
  readonly kind: 'request';
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly operation: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Lower-case names; in place of the token stands whether it was one of Graph's. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** `oid` in the Graph token; absent when it was none of Graph's. */
  readonly user?: string;
  readonly tenantId?: string;
  /** Graph's own id of the request. */
  readonly requestId: string;
  /** The kind of fault that struck it. */
  readonly fault?: string;
  /** The true status; absent while it has not acted, or never will. */
  status?: number;
};

/** A createToken or revokeToken that was really performed. */
export type CommitEntry = Readonly<{
  kind: 'commit';
  at: number;
  operation: 'createToken' | 'revokeToken';
  set: string;
  /** The bare GUID. */
  id: string;
  user: string;
  tenantId: string;
  requestId: string;
  clientRequestId?: string;
  /** The token that stands there now. */
  tokenValue: string;
}>;

export type GraphJournal = Readonly<{
  /** Where it is also written. */
  file: string | undefined;
  requests: RequestEntry[];
  commits: CommitEntry[];
  addRequest: (entry: RequestEntry) => void;
  addCommit: (entry: CommitEntry) => void;
  clear: () => void;
  close: () => void;
}>;

/** With a file, each commit is on the disk (fsync) before it is answered, so that it outlives a `kill -9`. */
export function createGraphJournal(file?: string): GraphJournal {
  const descriptor = file === undefined ? undefined : openSync(file, 'a', 0o600);
  const requests: RequestEntry[] = [];
  const commits: CommitEntry[] = [];
  const write = (entry: RequestEntry | CommitEntry): void => {
    if (descriptor !== undefined) writeSync(descriptor, `${JSON.stringify(entry)}\n`);
  };
  return {
    file,
    requests,
    commits,
    addRequest: (entry) => {
      requests.push(entry);
      write(entry);
    },
    addCommit: (entry) => {
      commits.push(entry);
      write(entry);
      if (descriptor !== undefined) fsyncSync(descriptor);
    },
    clear: () => {
      requests.length = 0;
      commits.length = 0;
    },
    close: () => {
      if (descriptor !== undefined) closeSync(descriptor);
    },
  };
}
