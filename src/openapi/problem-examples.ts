import { PROBLEMS, ProblemError, type ProblemCode } from '../errors.ts';
import { toGraphErrorBody, toProblemDetails } from '../http/problem-body.ts';

const IDS = {
  requestId: '0f8fad5b-d9cb-469f-a165-70867728950e',
  clientRequestId: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
};
const NOW = Date.parse('2026-11-24T09:00:00Z');

/** The media types of an error, with what makes the body of each. */
const BODIES = {
  'application/json': (problem: ProblemError) => toGraphErrorBody(problem, IDS, NOW),
  'application/problem+json': (problem: ProblemError) => toProblemDetails(problem, IDS),
} as const;
const MEDIA_TYPES = [
  'application/json',
  'application/problem+json',
] as const satisfies (keyof typeof BODIES)[];
type MediaType = (typeof MEDIA_TYPES)[number];

const toExampleName = (code: ProblemCode, type: MediaType): string =>
  type === 'application/json' ? code : `${code}-details`;

function toExample(code: ProblemCode, type: MediaType) {
  const options = code === 'rate_limited' ? { violatedPolicies: ['user'] } : {};
  return { summary: PROBLEMS[code].title, value: BODIES[type](new ProblemError(code, undefined, options)) };
}

/** The examples of a media type of one answer, by inner code. */
export const toExampleRefs = (codes: readonly ProblemCode[], type: MediaType) =>
  Object.fromEntries(
    codes.map((code) => [code, { $ref: `#/components/examples/${toExampleName(code, type)}` }]),
  );

/** For `components.examples`: problems as bodies of either kind, made by what makes the real ones. */
export const toExamples = (codes: readonly ProblemCode[]) =>
  Object.fromEntries(
    MEDIA_TYPES.flatMap((type) => codes.map((code) => [toExampleName(code, type), toExample(code, type)])),
  );
