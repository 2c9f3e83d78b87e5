import { z } from 'zod';
import { ProblemError } from '../errors.ts';
import { isSkipToken, readCount, type ListQuery } from './list-query.ts';
import type { ProfileSet } from './profile.ts';
import { toPublicProfile, type PublicProfile } from './public-profile.ts';

/** One page of a list; `next` is what the following page is asked for with. */
export type ProfilePage = Readonly<{ profiles: readonly PublicProfile[]; next?: ListQuery }>;

const Page = z.object({ value: z.array(z.unknown()), '@odata.nextLink': z.string().nullish() });

type PageContext = Readonly<{
  set: ProfileSet;
  /** What this page was asked for with. */
  query: ListQuery;
  graphBaseUrl: string;
  /** Milliseconds since the epoch. */
  now: number;
}>;

/**
 * The next page by Graph's link: filter and order stay ours, and of the link only where it goes on is kept, once it is seen to be
 * Graph's, to name no address itself and to hold nothing that would be refused here when it is asked for.
 */
function toNext(link: string, { query, graphBaseUrl }: PageContext): ListQuery {
  const graph = new URL(graphBaseUrl);
  const url = URL.canParse(link) ? new URL(link) : undefined;
  const options = new Map(
    url?.origin === graph.origin
      ? [...url.searchParams].map(([name, value]) => [name.toLowerCase(), value])
      : [],
  );
  const skipToken = options.get('$skiptoken');
  const skip = readCount(options.get('$skip'), '$skip');
  // A page larger than a caller may ask for is left to Graph's own size.
  const top = readCount(options.get('$top'), '$top');
  const goesOn = skipToken === undefined ? skip !== undefined : isSkipToken(skipToken);
  const isWithinReach = options.has('$skip') === (skip !== undefined);
  if (!goesOn || !isWithinReach || skipToken?.includes(graph.host))
    throw new ProblemError('upstream_invalid');
  const { filter, orderBy } = query;
  return {
    ...(filter && { filter }),
    ...(orderBy && { orderBy }),
    ...(top !== undefined && { top }),
    ...(skip !== undefined && { skip }),
    ...(skipToken !== undefined && { skipToken }),
  };
}

/** Throws ProblemError `upstream_invalid` for what is no page of profiles. */
export function parseProfilePage(json: unknown, context: PageContext): ProfilePage {
  const page = Page.safeParse(json).data;
  if (!page) throw new ProblemError('upstream_invalid');
  const profiles = page.value.map((profile) => toPublicProfile(profile, context.set, context.now));
  const link = page['@odata.nextLink'];
  return typeof link === 'string' ? { profiles, next: toNext(link, context) } : { profiles };
}
