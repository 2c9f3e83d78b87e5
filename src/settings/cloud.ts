import type { Draft } from './draft.ts';

export type Cloud = Readonly<{ authorityHost: string; graphBaseUrl: string; isCustomCloud: boolean }>;

const GLOBAL = ['https://login.microsoftonline.com', 'https://graph.microsoft.com'] as const;
/** Pairs of Entra's and Graph's origin: the global cloud, US Government L4, US Government DoD, China. */
const CLOUDS: readonly (readonly [authorityHost: string, graphBaseUrl: string])[] = [
  GLOBAL,
  ['https://login.microsoftonline.us', 'https://graph.microsoft.us'],
  ['https://login.microsoftonline.us', 'https://dod-graph.microsoft.us'],
  ['https://login.partner.microsoftonline.cn', 'https://microsoftgraph.chinacloudapi.cn'],
];

/**
 * The two origins that tokens are sent to. One of a Microsoft cloud brings its partner along; any other has to be
 * named together with its partner and allowed, and the parts of two Microsoft clouds never fit.
 */
export function readCloud({ isSet, value, problems }: Draft): Cloud | undefined {
  const authority = value('AZURE_AUTHORITY_HOST');
  const graph = value('GRAPH_BASE_URL');
  if (problems.has('AZURE_AUTHORITY_HOST') || problems.has('GRAPH_BASE_URL')) return undefined;

  const fitting = CLOUDS.filter(
    ([authorityHost, graphBaseUrl]) =>
      (authority ?? authorityHost) === authorityHost && (graph ?? graphBaseUrl) === graphBaseUrl,
  );
  const [cloud] = isSet('AZURE_AUTHORITY_HOST') || isSet('GRAPH_BASE_URL') ? fitting : [GLOBAL];
  if (cloud !== undefined && fitting.length > 1 && authority !== undefined) {
    const graphs = fitting.map(([, graphBaseUrl]) => graphBaseUrl).join(' or ');
    problems.add('GRAPH_BASE_URL', `${graphs}, since AZURE_AUTHORITY_HOST serves both clouds`, 'nothing');
    return undefined;
  }
  if (cloud !== undefined) return { authorityHost: cloud[0], graphBaseUrl: cloud[1], isCustomCloud: false };

  const isAuthorityKnown = CLOUDS.some(([authorityHost]) => authorityHost === authority);
  const isGraphKnown = CLOUDS.some(([, graphBaseUrl]) => graphBaseUrl === graph);
  const isAllowed = value('ALLOW_CUSTOM_CLOUD') === true && !(isAuthorityKnown && isGraphKnown);
  if (authority !== undefined && graph !== undefined && isAllowed) {
    return { authorityHost: authority, graphBaseUrl: graph, isCustomCloud: true };
  }
  problems.add(
    ['AZURE_AUTHORITY_HOST', 'GRAPH_BASE_URL'],
    'both of one Microsoft cloud, or both named with ALLOW_CUSTOM_CLOUD=true',
    `${authority ?? 'nothing'} and ${graph ?? 'nothing'}`,
  );
  return undefined;
}
