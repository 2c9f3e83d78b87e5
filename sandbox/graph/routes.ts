import { SETS, type SetName } from './profile.ts';

export type GraphOperation = 'createToken' | 'revokeToken' | 'list' | 'get';

export type GraphRoute = Readonly<{ operation: GraphOperation; set: SetName; id: string }>;

const PATH = new RegExp(
  `^/beta/deviceManagement/(${SETS.join('|')})(?:/([^/]+)(?:/(createToken|revokeToken))?)?$`,
);

const toSet = (name: string | undefined): SetName | undefined => SETS.find((set) => set === name);

/** Finds what a request asks of Graph; `undefined` for what it does not know. */
export function readGraphRoute(method: string, path: string): GraphRoute | undefined {
  const [, name, id, action] = PATH.exec(path) ?? [];
  const set = toSet(name);
  if (set === undefined) return undefined;
  if (method === 'POST' && id !== undefined && (action === 'createToken' || action === 'revokeToken')) {
    return { operation: action, set, id };
  }
  if (method !== 'GET' || action !== undefined) return undefined;
  return id === undefined ? { operation: 'list', set, id: '' } : { operation: 'get', set, id };
}
