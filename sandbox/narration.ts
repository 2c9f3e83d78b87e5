import type { CurlLine } from './demo/curl-lines.ts';
import type { AuditRecord, FirstToken } from './demo/first-token.ts';
import type { Style } from './demo/style.ts';

export type Narration = Readonly<{
  begin: (where: Readonly<{ service: string; entra: string; graph: string }>) => void;
  /** Tells the way of one token, hop by hop. */
  tell: (story: FirstToken) => void;
  curlLines: (lines: readonly CurlLine[]) => void;
  serving: (files: Readonly<{ logFile: string; auditDirectory: string }>) => void;
  warning: (message: string) => void;
  /** One sentence to standard error. */
  failure: (sentence: string) => void;
}>;

type Row = readonly [name: string, value: string | number | null | undefined];

const toText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export function createNarration(style: Style): Narration {
  const say = (line = ''): void => console.log(line);
  let step = 0;
  const hop = (title: string, rows: readonly Row[]): void => {
    step += 1;
    say();
    say(style.title(`${step}  ${title}`));
    if (rows.length === 0) say(style.faint('   not reached'));
    for (const [name, value] of rows) {
      if (value !== undefined && value !== null && value !== '')
        say(`   ${style.name(name.padEnd(18))} ${value}`);
    }
  };

  return {
    begin: ({ service, entra, graph }) => {
      say(style.title('The sandbox is up.'));
      say(`   ${style.name('service'.padEnd(18))} ${service}`);
      say(`   ${style.name('sandbox Entra ID'.padEnd(18))} ${entra}`);
      say(`   ${style.name('sandbox Graph'.padEnd(18))} ${graph}`);
    },
    tell: (story) => {
      for (const [title, rows] of toHops(story)) hop(title, rows);
      say();
      say(
        story.created
          ? style.good(`One enrollment token was created, for ${String(story.profile['displayName'])}.`)
          : style.bad(`No token was created: the service answered ${story.answer.status}.`),
      );
      if (!story.created && story.answer.body !== '') say(story.answer.body);
    },
    curlLines: (lines) => {
      say();
      say(style.title('To try yourself'));
      for (const { what, line } of lines) {
        say();
        say(style.faint(`# ${what}`));
        say(line);
      }
    },
    serving: ({ logFile, auditDirectory }) => {
      say();
      say(`The log is in ${logFile}, the audit journal in ${auditDirectory}; both go when the sandbox ends.`);
      say('Serving until Ctrl-C.');
    },
    warning: (message) => say(style.faint(`service: ${message}`)),
    failure: (sentence) => console.error(style.bad(sentence)),
  };
}

const toDate = (seconds: number | undefined): string | undefined =>
  seconds === undefined ? undefined : new Date(seconds * 1000).toISOString();

function toHops({
  request,
  answer,
  exchange,
  graphRequest,
  after,
  audit,
}: FirstToken): readonly [string, readonly Row[]][] {
  const { claims } = request;
  const intent = audit.find(({ kind }) => kind === 'intent');
  const own = graphRequest && Object.keys(graphRequest.headers).toSorted().join(', ');
  return [
    [
      'A caller sends the token of its user',
      [
        ['request', `POST ${request.url}`],
        ['body', request.body],
        ['name', toText(claims['name'])],
        ['scp', toText(claims['scp'])],
        ['aud', toText(claims.aud)],
        ['iss', claims.iss],
        ['azp', toText(claims['azp'])],
        ['exp', toDate(claims.exp)],
      ],
    ],
    [
      'The service verifies it, and knows who is calling',
      [
        ['user', intent?.actor?.userPrincipalName],
        ['object id', intent?.actor?.objectId],
        ['scopes', intent?.actor?.scopes.join(' ')],
      ],
    ],
    [
      'The intent goes to the audit journal, on the disk before anything happens',
      intent ? [toAuditRow(intent)] : [],
    ],
    [
      'Entra exchanges the token: the service now acts on behalf of the user',
      exchange
        ? [
            ['acts for', exchange.user],
            ['credential', exchange.credential],
            ['scope', exchange.scope],
            ['answer', exchange.status],
          ]
        : [],
    ],
    [
      'Graph creates the enrollment token',
      graphRequest
        ? [
            ['request', `${graphRequest.method} ${graphRequest.path}`],
            ['body', graphRequest.body],
            ['acts for', graphRequest.user],
            ['headers', own],
            ['answer', graphRequest.status],
          ]
        : [],
    ],
    [
      'The caller gets its answer',
      [
        ['status', answer.status],
        ['request-id', answer.headers.get('request-id')],
        ['RateLimit', answer.headers.get('ratelimit')],
        ['took', `${Math.round(answer.durationMs)} ms`],
      ],
    ],
    [
      'What stands in Intune now (shown because this is a sandbox; it is a secret)',
      [
        ['token', after?.tokenValue],
        ['expires', toText(after?.['tokenExpirationDateTime'])],
        ['QR code', after?.tokenValue ? 'a PNG for the device to scan' : undefined],
      ],
    ],
    ['The audit journal, each record chained to the one before', audit.map(toAuditRow)],
  ];
}

function toAuditRow({ seq, kind, action, result, status, code, hash }: AuditRecord): Row {
  const told = [action, result, status, code].filter((part) => part !== undefined).join(' ');
  return [`${seq} ${kind}`, `${told.padEnd(24)} sha256 ${hash.slice(0, 16)}…`];
}
