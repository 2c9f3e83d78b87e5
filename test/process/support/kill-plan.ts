/** Moments at which the service dies; the first word says who kills it. */
export type KillPoint =
  /** It kills itself (die-at.ts names the moments). */
  | Readonly<{ by: 'service'; at: string; survives: number }>
  /** The test, once a request of a keyed client is at Graph, which acts `before` or only `after` the service is dead. */
  | Readonly<{ by: 'graph'; acts: 'before' | 'after'; survives: number }>
  /** The test, some milliseconds into the load. */
  | Readonly<{ by: 'clock'; afterMs: number }>;

export type Kill = Readonly<{
  name: string;
  point: KillPoint;
  /** Whether the machine dies with it: then what was not synced is lost too. */
  withMachine: boolean;
}>;

const BY_SERVICE = [
  'intent torn',
  'intent written',
  'intent synced',
  'recovered torn',
  'outcome torn',
  'tail torn',
  'outcome due',
  'outcome written',
  'outcome synced',
  'answer torn',
];

/** The first such write of a start: it closes, or cuts, what the one before in the plan left open, or torn. */
export const isAtStart = (at: string): boolean => at.startsWith('recovered') || at.startsWith('tail');

/** Never the same moments twice: small numbers that wander. */
const wander = (step: number, below: number): number => (step * 37) % below;

/**
 * Every named point and some moments that nobody chose, `count` kills in all. Every second takes the machine along, in the
 * next round the other half; `… written` is of the first half: there it tells most.
 */
export function planKills(count: number): readonly Kill[] {
  return Array.from({ length: count }, (_, step) => {
    const survives = wander(step, 41);
    const points: readonly Omit<Kill, 'withMachine'>[] = [
      ...BY_SERVICE.map((at) => ({
        name: at,
        point: { by: 'service', at, survives: isAtStart(at) ? 0 : survives } as const,
      })),
      { name: 'Graph acted', point: { by: 'graph', acts: 'before', survives: survives % 11 } },
      { name: 'Graph acts later', point: { by: 'graph', acts: 'after', survives: survives % 11 } },
      { name: 'by chance', point: { by: 'clock', afterMs: wander(step, 401) } },
    ];
    const round = Math.floor(step / points.length);
    const kill = points[step % points.length];
    if (kill === undefined) throw new Error('there are no points');
    return { ...kill, withMachine: ((step % points.length) + round) % 2 === 1 };
  });
}
