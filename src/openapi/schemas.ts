import { PROFILE_SETS } from '../graph/profile.ts';
import { PUBLIC_FIELDS, type FieldType } from '../graph/profile-fields.ts';
import { TOKEN_STATES } from '../graph/token-state.ts';

const FIELD_SCHEMAS: Readonly<Record<FieldType, object>> = {
  string: { type: ['string', 'null'] },
  dateTime: { type: ['string', 'null'], format: 'date-time' },
  integer: { type: ['integer', 'null'] },
  boolean: { type: ['boolean', 'null'] },
  strings: { type: ['array', 'null'], items: { type: 'string' } },
};

const fields = Object.assign({}, ...PROFILE_SETS.map((set) => PUBLIC_FIELDS[set]));

const toSchemas = (types: Readonly<Record<string, FieldType>>): Readonly<Record<string, object>> =>
  Object.fromEntries(Object.entries(types).map(([name, type]) => [name, FIELD_SCHEMAS[type]]));

const guid = { type: 'string', format: 'uuid' };
const moment = { type: 'string', format: 'date-time' };

const QrCodeImage = {
  type: 'object',
  description: 'A PNG in base64, as Graph writes it. A secret: who holds it can enroll a device.',
  required: ['type', 'value'],
  additionalProperties: false,
  properties: { type: { const: 'image/png' }, value: { type: 'string', contentEncoding: 'base64' } },
};

const EnrollmentToken = {
  type: 'object',
  description: 'A token with its QR code. A secret: who holds it can enroll a device.',
  required: ['id', 'tokenValue', 'tokenExpirationDateTime', 'qrCodeContent', 'qrCodeImage'],
  additionalProperties: false,
  properties: {
    id: { type: 'string', description: 'Of the profile.' },
    tokenValue: { type: 'string', minLength: 1 },
    tokenCreationDateTime: { ...moment, description: 'On androidDeviceOwnerEnrollmentProfiles alone.' },
    tokenExpirationDateTime: moment,
    qrCodeContent: { type: 'string' },
    qrCodeImage: { $ref: '#/components/schemas/QrCodeImage' },
  },
};

const EnrollmentProfile = {
  type: 'object',
  description:
    'A profile without its secrets. Some fields are of androidDeviceOwnerEnrollmentProfiles alone.',
  required: ['id', 'tokenState'],
  additionalProperties: false,
  properties: {
    ...toSchemas(fields),
    id: { type: 'string' },
    tokenState: {
      enum: TOKEN_STATES,
      description: 'Where the token stands; `expiring`: it ends within 14 days.',
    },
  },
};

const EnrollmentProfilePage = {
  type: 'object',
  required: ['value'],
  additionalProperties: false,
  properties: {
    value: { type: 'array', items: { $ref: '#/components/schemas/EnrollmentProfile' } },
    '@odata.nextLink': {
      type: 'string',
      format: 'uri-reference',
      description: 'The next page, at this service.',
    },
  },
};

const NewToken = {
  type: 'object',
  required: ['tokenValidityInSeconds'],
  additionalProperties: false,
  properties: { tokenValidityInSeconds: { type: 'integer', format: 'int32', minimum: 1 } },
};

const GraphError = {
  type: 'object',
  description: "Graph's error envelope: the outer code is Graph's, the inner one of this service.",
  required: ['error'],
  additionalProperties: false,
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'innerError'],
      additionalProperties: false,
      properties: {
        code: { type: 'string' },
        message: { type: 'string', minLength: 1 },
        innerError: {
          type: 'object',
          required: ['code', 'date', 'request-id', 'client-request-id'],
          additionalProperties: false,
          properties: {
            code: { type: 'string' },
            date: { type: 'string', pattern: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$` },
            'request-id': guid,
            'client-request-id': guid,
          },
        },
      },
    },
  },
};

const ProblemDetails = {
  type: 'object',
  description: 'RFC 9457, for callers whose Accept prefers application/problem+json.',
  required: ['type', 'title', 'status', 'detail', 'code', 'request-id', 'client-request-id'],
  additionalProperties: false,
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', minLength: 1 },
    code: { type: 'string' },
    'request-id': guid,
    'client-request-id': guid,
    'violated-policies': { type: 'array', items: { type: 'string' } },
  },
};

const Health = {
  type: 'object',
  required: ['status'],
  additionalProperties: false,
  properties: { status: { const: 'ok' } },
};

const Failed = {
  type: 'object',
  required: ['status'],
  additionalProperties: false,
  properties: { status: { const: 'failed' } },
};

const Unreadiness = {
  type: 'object',
  required: ['status', 'notReady'],
  additionalProperties: false,
  properties: {
    status: { const: 'unavailable' },
    notReady: { type: 'array', minItems: 1, items: { type: 'string' } },
  },
};

const OpenApiDocument = {
  type: 'object',
  description: 'OpenAPI 3.1.',
  required: ['openapi', 'info', 'paths', 'components'],
  properties: { openapi: { type: 'string', pattern: String.raw`^3\.1\.` } },
};

/** `components.schemas`. */
export const SCHEMAS = {
  EnrollmentProfile,
  EnrollmentProfilePage,
  EnrollmentToken,
  QrCodeImage,
  NewToken,
  GraphError,
  ProblemDetails,
  Health,
  Unreadiness,
  Failed,
  OpenApiDocument,
};
