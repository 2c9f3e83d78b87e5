import { OPERATIONS, type Operation, type OperationName } from '../graph/operations.ts';
import { ADMIN_PATHS } from './admin-paths.ts';
import { HEADERS } from './headers.ts';
import { createOpenPaths } from './open-paths.ts';
import { PARAMETERS, toParameterRefs } from './parameters.ts';
import { OUTSIDE, toProblemCodes } from './problem-codes.ts';
import { createProblemResponses } from './problem-responses.ts';
import { SCHEMAS } from './schemas.ts';
import { SUCCESS_RESPONSES } from './success-responses.ts';

const problems = createProblemResponses();

/** Of the interface; the service has a version of its own. */
const VERSION = '1.0.0';

const SUMMARIES: Readonly<Record<OperationName, string>> = {
  createToken: 'Create an enrollment token',
  revokeToken: 'Revoke the current token',
  listProfiles: 'List enrollment profiles',
  getProfile: 'Get one enrollment profile',
  getEnrollmentToken: 'Read the current token',
  getQrCodeImage: 'Read the QR code of the current token',
};

function toParameters({ name, path, write, query }: Operation) {
  return [
    ...toParameterRefs('set'),
    ...(path.includes('{id}') ? toParameterRefs('id') : []),
    ...(query === 'list' ? toParameterRefs('top', 'skip', 'filter', 'orderby', 'skiptoken') : []),
    ...(write ? toParameterRefs('Idempotency-Key') : []),
    ...(name === 'createToken' ? toParameterRefs('Prefer') : []),
    ...toParameterRefs('client-request-id', 'traceparent'),
  ];
}

const NEW_TOKEN = {
  required: true,
  content: {
    'application/json': {
      schema: { $ref: '#/components/schemas/NewToken' },
      example: { tokenValidityInSeconds: 3600 },
    },
  },
};

const toOperation = (operation: Operation) => ({
  operationId: operation.name,
  summary: SUMMARIES[operation.name],
  tags: ['enrollment'],
  security: [{ entra: [operation.scope] }],
  parameters: toParameters(operation),
  ...(operation.body === 'validity' && { requestBody: NEW_TOKEN }),
  responses: { ...SUCCESS_RESPONSES[operation.name], ...problems.toReferences(toProblemCodes(operation)) },
});

const toPath = ({ path }: Operation): string => `/beta/deviceManagement/{set}${path}`;

const operationPaths = Object.fromEntries(
  OPERATIONS.map((operation) => [
    toPath(operation),
    { [operation.method.toLowerCase()]: toOperation(operation) },
  ]),
);

/** Answers to requests that reach no operation; OpenAPI has no place for them but an extension. */
export const OUTSIDE_RESPONSES = problems.toReferences(OUTSIDE);

/** OpenAPI 3.1 of every route, built from the tables that route, refuse and answer. */
export const OPENAPI = {
  openapi: '3.1.1',
  info: {
    title: 'enrollment-token-bff',
    version: VERSION,
    summary: 'Intune Android enrollment tokens, on behalf of the signed-in user.',
    description:
      'Every route answers with and without the leading `/beta`, so the Microsoft Graph SDKs work with their base URL pointed here. HEAD is answered wherever GET is. What stands in no path is 404 `unknown_route`, a known path with another method 405 `method_not_allowed` (`x-outside-responses`).',
    license: { name: 'UNLICENSED', identifier: 'LicenseRef-UNLICENSED' },
  },
  servers: [{ url: '/' }],
  tags: [
    { name: 'enrollment', description: 'Profiles and their tokens.' },
    { name: 'service', description: 'The service itself.' },
    { name: 'operation', description: 'Probes and metrics, on a port of their own.' },
  ],
  security: [{ entra: [] }],
  'x-outside-responses': OUTSIDE_RESPONSES,
  paths: {
    ...operationPaths,
    ...createOpenPaths(problems, VERSION),
    ...ADMIN_PATHS,
  },
  components: {
    schemas: SCHEMAS,
    headers: HEADERS,
    parameters: PARAMETERS,
    responses: problems.components,
    examples: problems.examples,
    securitySchemes: {
      entra: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description:
          'An access token of Microsoft Entra ID for this API, with the scope that stands at each operation.',
      },
    },
  },
};
