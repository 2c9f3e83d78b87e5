import { PROBLEMS, type ProblemCode } from '../errors.ts';
import { ALWAYS, LIMITS, toHeaderRefs } from './headers.ts';

const toExample = (code: ProblemCode) => ({
  error: {
    code: PROBLEMS[code].graphCode,
    message: PROBLEMS[code].title,
    innerError: {
      code,
      date: '2026-11-24T09:00:00',
      'request-id': '0f8fad5b-d9cb-469f-a165-70867728950e',
      'client-request-id': '7c9e6679-7425-40de-944b-e07fc1f90ae7',
    },
  },
});

function toHeaders(status: number) {
  const own = {
    401: ['WWW-Authenticate'],
    405: ['Allow'],
    429: ['Retry-After'],
    503: ['Retry-After'],
  } as const satisfies Readonly<Record<number, readonly string[]>>;
  const names = Object.entries(own).find(([of]) => Number(of) === status)?.[1] ?? [];
  return toHeaderRefs(...ALWAYS, ...LIMITS, 'Cache-Control', ...names);
}

/** One answer of an error status: every inner code it can carry, in both forms of the body. */
export function toProblemResponse(status: number, codes: readonly ProblemCode[]) {
  const graphCodes = [...new Set(codes.map((code) => PROBLEMS[code].graphCode))];
  const [first] = codes;
  const innerCode = { properties: { code: { enum: codes } } };
  const error = { properties: { code: { enum: graphCodes }, innerError: innerCode } };
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('\n\n'),
    headers: toHeaders(status),
    content: {
      'application/json': {
        schema: { allOf: [{ $ref: '#/components/schemas/GraphError' }, { properties: { error } }] },
        ...(first && { example: toExample(first) }),
      },
      'application/problem+json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/ProblemDetails' },
            { properties: { status: { const: status }, code: { enum: codes } } },
          ],
        },
      },
    },
  };
}

export type ProblemResponses = Readonly<{
  /** The answers to a list of problems, by status: references to `components.responses`. */
  toReferences: (codes: readonly ProblemCode[]) => Readonly<Record<string, object>>;
  /** `components.responses`: each answer that was referred to, once. */
  components: Readonly<Record<string, ReturnType<typeof toProblemResponse>>>;
}>;

/** Named after Graph's outer code, numbered where several operations have different inner codes under it. */
export function createProblemResponses(): ProblemResponses {
  const components: Record<string, ReturnType<typeof toProblemResponse>> = {};
  const names = new Map<string, string>();

  const toName = (status: number, codes: readonly ProblemCode[]): string => {
    const key = codes.join();
    const known = names.get(key);
    if (known !== undefined) return known;
    const graphCode = PROBLEMS[codes[0] ?? 'internal_error'].graphCode;
    const alike = Object.keys(components).filter((name) => name.replace(/\d+$/, '') === graphCode).length;
    const name = alike === 0 ? graphCode : `${graphCode}${alike + 1}`;
    names.set(key, name);
    components[name] = toProblemResponse(status, codes);
    return name;
  };

  return {
    components,
    toReferences: (codes) => {
      const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))].toSorted((a, b) => a - b);
      return Object.fromEntries(
        statuses.map((status) => {
          const own = codes.filter((code) => PROBLEMS[code].status === status);
          return [String(status), { $ref: `#/components/responses/${toName(status, own)}` }];
        }),
      );
    },
  };
}
