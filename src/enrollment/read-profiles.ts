import type { GraphClient } from '../graph/graph-client.ts';
import type { ListQuery } from '../graph/list-query.ts';
import { PUBLIC_FIELDS } from '../graph/profile-fields.ts';
import { parseProfilePage, type ProfilePage } from '../graph/profile-page.ts';
import type { Profile, ProfileSet } from '../graph/profile.ts';
import { toPublicProfile, type PublicProfile } from '../graph/public-profile.ts';
import type { ReadGraph, ReadOutcome } from './read-graph.ts';
import type { WriteContext } from './write-attempt.ts';

/** The reads that show no secret, and so leave no record. Each rejects with a ProblemError. */
export type ReadProfiles = Readonly<{
  list: (set: ProfileSet, query: ListQuery, context: WriteContext) => Promise<ProfilePage>;
  get: (profile: Profile, context: WriteContext) => Promise<PublicProfile>;
}>;

type ReadProfilesOptions = Readonly<{
  graph: GraphClient;
  readGraph: ReadGraph;
  graphBaseUrl: string;
  now?: () => number;
}>;

function requireJson(outcome: ReadOutcome): unknown {
  if (outcome.result === 'failed') throw outcome.problem;
  return outcome.answer.json;
}

const toSelect = (set: ProfileSet): readonly string[] => Object.keys(PUBLIC_FIELDS[set]);

export function createReadProfiles({
  graph,
  readGraph,
  graphBaseUrl,
  now = Date.now,
}: ReadProfilesOptions): ReadProfiles {
  return {
    list: async (set, query, context) => {
      const outcome = await readGraph((call) => graph.listProfiles(set, query, toSelect(set), call), context);
      return parseProfilePage(requireJson(outcome), { set, query, graphBaseUrl, now: now() });
    },
    get: async (profile, context) => {
      const { set } = profile;
      const outcome = await readGraph((call) => graph.readProfile(profile, toSelect(set), call), context);
      return toPublicProfile(requireJson(outcome), set, now());
    },
  };
}
