/** The records of the audit journal, as the contract (section 7) writes them. */
export type AuditAction = 'enrollmentToken.create' | 'enrollmentToken.revoke' | 'enrollmentToken.read';

export type AuditActor = Readonly<{
  tenantId: string;
  objectId: string;
  userPrincipalName?: string;
  clientId: string;
  tokenId?: string;
  scopes: readonly string[];
}>;

export type AuditSource = Readonly<{ address: string; userAgent?: string }>;

export type AuditResource = Readonly<{ set: string; id: string }>;

export type AuditResult = 'success' | 'failed' | 'unknown';

export type StartEvent = Readonly<{
  kind: 'start' | 'stop';
  version: string;
  node: string;
  configHash: string;
}>;

export type IntentEvent = Readonly<{
  kind: 'intent';
  action: AuditAction;
  actor: AuditActor;
  source: AuditSource;
  resource: AuditResource;
  parameters: Readonly<Record<string, string | number | boolean>>;
  requestId: string;
  clientRequestId: string;
  idempotencyKeyHash?: string;
}>;

export type OutcomeEvent = Readonly<{
  kind: 'outcome';
  /** `id` of the intent. */
  intent: string;
  result: AuditResult;
  /** The HTTP status of the answer to the caller. */
  status: number;
  code?: string;
  upstream: Readonly<{ requestId?: string; status?: number; attempts: number; durationMs: number }>;
  tokenFingerprint?: string;
}>;

export type RefusalEvent = Readonly<{
  kind: 'refusal';
  action?: AuditAction;
  actor?: AuditActor;
  source: AuditSource;
  status: number;
  code: string;
  count?: number;
}>;

export type RecoveredEvent = Readonly<{ kind: 'recovered'; intent: string; result: 'unknown' }>;
export type SettledEvent = Readonly<{ kind: 'settled'; intent: string; result: 'success' | 'failed' }>;

export type AuditEvent =
  StartEvent | IntentEvent | OutcomeEvent | RefusalEvent | RecoveredEvent | SettledEvent;

/** What the journal adds to every event. */
export type RecordSeal = Readonly<{
  v: 1;
  /** UUID of the process that wrote it, as the journal counts them. */
  chain: string;
  /** From 1 in a chain, without gaps. */
  seq: number;
  /** When the event came: RFC 3339, UTC, milliseconds. */
  time: string;
  id: string;
  /** `hash` of the record before it in the directory. */
  previous: string;
  /** SHA-256, lower-case hex, of the record without it as canonical JSON (RFC 8785). */
  hash: string;
}>;

/** An event as it stands in the journal. */
export type AuditRecord<Event extends AuditEvent = AuditEvent> = Event & RecordSeal;

/** Appends one event; resolves once it is durable, rejects with ProblemError `audit_unavailable` when it is not (or not in time). */
export type AppendAudit = <Event extends AuditEvent>(event: Event) => Promise<AuditRecord<Event>>;
