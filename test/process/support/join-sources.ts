import type { CommitEntry } from '../../../sandbox/graph/journal.ts';
import type { AuditRecord, IntentEvent } from '../../../src/audit/record.ts';
import type { Attempt } from './client-log.ts';

/** Three witnesses of the same time, none of which could ask another. */
export type Sources = Readonly<{
  /** What the service recorded. */
  audit: readonly AuditRecord[];
  /** What Graph really did. */
  commits: readonly CommitEntry[];
  /** What the clients asked for and saw. */
  attempts: readonly Attempt[];
}>;

type Story = Readonly<{
  intent: AuditRecord<IntentEvent>;
  endings: readonly AuditRecord[];
  settled: readonly AuditRecord[];
}>;

function groupBy<Item, Key>(items: readonly Item[], toKey: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = toKey(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** The intents of a journal, each with what was recorded about it. */
export function toStories(audit: readonly AuditRecord[]): readonly Story[] {
  const endings = groupBy(
    audit.filter(({ kind }) => kind === 'outcome' || kind === 'recovered'),
    toIntentId,
  );
  const settled = groupBy(
    audit.filter(({ kind }) => kind === 'settled'),
    toIntentId,
  );
  return audit
    .filter((record) => record.kind === 'intent')
    .map((intent) => ({
      intent,
      endings: endings.get(intent.id) ?? [],
      settled: settled.get(intent.id) ?? [],
    }));
}

const toIntentId = (record: AuditRecord): string | undefined =>
  'intent' in record ? record.intent : undefined;

const isSuccess = ({ endings, settled }: Story): boolean =>
  [...endings, ...settled].some((record) => 'result' in record && record.result === 'success');

export const isRecovered = ({ endings }: Story): boolean => endings.some(({ kind }) => kind === 'recovered');

export const toProfile = ({ intent }: Story): string => intent.resource.id;

export const isUnknown = ({ endings }: Story): boolean =>
  endings.some((record) => 'result' in record && record.result === 'unknown');

/** Where the three contradict each other or a promise of the service (contract 6 and 7); empty if nowhere. */
export function findContradictions({ audit, commits, attempts }: Sources): readonly string[] {
  const stories = toStories(audit);
  const storiesById = groupBy(stories, ({ intent }) => intent.clientRequestId);
  const commitsById = groupBy(commits, ({ clientRequestId }) => clientRequestId);
  const attemptsByKey = groupBy(attempts, ({ key, clientRequestId }) => key ?? clientRequestId);
  const found: string[] = [];
  const expect = (holds: boolean, sentence: string) => {
    if (!holds) found.push(sentence);
  };

  for (const { clientRequestId, at } of commits) {
    const [story, ...others] = storiesById.get(clientRequestId ?? '') ?? [];
    expect(
      story !== undefined && Date.parse(story.intent.time) <= at,
      `commit ${clientRequestId} without an earlier intent`,
    );
    expect(others.length === 0, `commit ${clientRequestId} with several intents`);
  }

  const known = new Set(stories.map(({ intent }) => intent.id));
  for (const record of audit) {
    expect(!('intent' in record) || known.has(record.intent), `${record.kind} ${record.id} of no intent`);
  }
  for (const story of stories) {
    const { intent, endings, settled } = story;
    expect(endings.length === 1, `intent ${intent.id} with ${endings.length} ends`);
    expect(settled.length <= 1, `intent ${intent.id} settled ${settled.length} times`);
    expect(
      !isSuccess(story) || commitsById.has(intent.clientRequestId),
      `intent ${intent.id} a success without a commit`,
    );
  }

  for (const [key, asked] of attemptsByKey) {
    const ids = asked.map(({ clientRequestId }) => clientRequestId);
    const count = ids.reduce((sum, id) => sum + (commitsById.get(id)?.length ?? 0), 0);
    expect(count <= 1, `request ${key} committed ${count} times`);
    const succeeded = ids.some((id) => (storiesById.get(id) ?? []).some(isSuccess));
    const saw204 = asked.some(({ answer }) => answer()?.status === 204);
    expect(succeeded || !saw204, `204 for ${key} without a durable success`);
  }
  return found;
}
