import { PROBLEMS, type ProblemCode } from '../errors.ts';
import { ALWAYS, LIMITS, toHeaderRefs, toOptionalHeaderRefs } from './headers.ts';
import { toExampleRefs, toExamples } from './problem-examples.ts';

/** What an error carries beside the headers of every error: always, or only some of the inner codes of its status. */
const OWN_HEADERS: Readonly<Record<number, Readonly<Record<string, object>>>> = {
  401: toHeaderRefs('WWW-Authenticate'),
  // With `insufficient_scope`.
  403: toOptionalHeaderRefs('WWW-Authenticate'),
  405: toHeaderRefs('Allow'),
  // With `request_in_progress`.
  409: toOptionalHeaderRefs('Retry-After'),
  429: toHeaderRefs('Retry-After'),
  503: toHeaderRefs('Retry-After'),
};

const toHeaders = (status: number) => ({
  ...toHeaderRefs(...ALWAYS, ...LIMITS, 'Cache-Control'),
  ...OWN_HEADERS[status],
});

/** One answer of an error status: every inner code it can carry, in both forms of the body. */
export function toProblemResponse(status: number, codes: readonly ProblemCode[]) {
  const graphCodes = [...new Set(codes.map((code) => PROBLEMS[code].graphCode))];
  const innerCode = { properties: { code: { enum: codes } } };
  const error = { properties: { code: { enum: graphCodes }, innerError: innerCode } };
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('\n\n'),
    headers: toHeaders(status),
    content: {
      'application/json': {
        schema: { allOf: [{ $ref: '#/components/schemas/GraphError' }, { properties: { error } }] },
        examples: toExampleRefs(codes, 'application/json'),
      },
      'application/problem+json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/ProblemDetails' },
            { properties: { status: { const: status }, code: { enum: codes } } },
          ],
        },
        examples: toExampleRefs(codes, 'application/problem+json'),
      },
    },
  };
}

export type ProblemResponses = Readonly<{
  /** The answers to a list of problems, by status: references to `components.responses`. */
  toReferences: (codes: readonly ProblemCode[]) => Readonly<Record<string, object>>;
  /** `components.responses`: each answer that was referred to, once. */
  components: Readonly<Record<string, ReturnType<typeof toProblemResponse>>>;
  /** `components.examples`: each problem that was referred to, as a body of either kind. */
  examples: Readonly<Record<string, object>>;
}>;

/** Named after Graph's outer code, numbered where several operations have different inner codes under it. */
export function createProblemResponses(): ProblemResponses {
  const components: Record<string, ReturnType<typeof toProblemResponse>> = {};
  const names = new Map<string, string>();
  const examples: Record<string, object> = {};

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
    examples,
    toReferences: (codes) => {
      Object.assign(examples, toExamples(codes));
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
