import { randomUUID } from 'node:crypto';

/** The outer `error.code` that Graph gives with a status. */
const CODES: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'InvalidAuthenticationToken',
  403: 'Forbidden',
  404: 'ResourceNotFound',
  409: 'Conflict',
  423: 'Locked',
  429: 'TooManyRequests',
  500: 'InternalServerError',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
  504: 'GatewayTimeout',
  507: 'InsufficientStorage',
  509: 'BandwidthLimitExceeded',
};

const toInnerError = (requestId: string) => ({
  date: new Date().toISOString().slice(0, 19),
  'request-id': randomUUID(),
  'client-request-id': requestId,
});

/** Graph's own envelope. */
export const toGraphError = (status: number, message: string, requestId: string, code = CODES[status]) => ({
  error: { code: code ?? 'UnknownError', message, innerError: toInnerError(requestId) },
});

export type IntuneErrorOptions = Readonly<{
  message?: string;
  /** Puts the JSON into `Message` of further JSON, as Intune sometimes does. */
  nested?: boolean;
  /** Seconds, where Intune names them. */
  retryAfter?: number;
  /** Text that must not get past the service, put where Intune leaks its insides. */
  canary?: string;
}>;

/** What stands under `/deviceManagement`: JSON inside `error.message`, with Intune's internal hosts in it. */
export function toIntuneError(
  status: number,
  requestId: string,
  { message = 'An error has occurred', nested = false, retryAfter, canary = '' }: IntuneErrorOptions = {},
) {
  const trace = `Operation ID (for customer support): 00000000-0000-0000-0000-000000000000 - Activity ID: ${requestId} - Url: https://fef.${canary}msua06.manage.microsoft.com/StatelessEnrollmentFEService/deviceManagement`;
  const inner = {
    _version: 3,
    Message: `${message} - ${trace}`,
    CustomApiErrorPhrase: '',
    RetryAfter: retryAfter ?? null,
    ErrorSourceService: '',
    HttpHeaders: JSON.stringify({
      'WWW-Authenticate': 'Bearer realm="urn:intune:service,c3998d6c"',
      'x-internal': `${canary}fef`,
    }),
  };
  const text = JSON.stringify(nested ? { ...inner, Message: JSON.stringify(inner) } : inner);
  return toGraphError(status, text, requestId);
}
