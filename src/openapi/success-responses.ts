import type { OperationName } from '../graph/operations.ts';
import { ALWAYS, LIMITS, toHeaderRefs, toOptionalHeaderRefs, type HeaderName } from './headers.ts';

const PROFILE = {
  id: 'd0d0d0d0-0000-4000-8000-00000000d0a1',
  displayName: 'Scanners',
  description: 'Devices owned by the company',
  enrollmentMode: 'corporateOwnedDedicatedDevice',
  tokenExpirationDateTime: '2026-12-24T09:00:00Z',
  tokenState: 'valid',
};

/** A real one, of https://tokens.example. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAACEAAAAhAQAAAAB/n//CAAAApElEQVR42m3OOwrCQAAE0Om2FglpTJFKrNRTpIyIieksc4SAFk4T8AKCnVfwJqKCIhI8gqusLKyflbXV5lUzzMBaa4lfZV0JQp8rTajU8wnVnzt7pU/oU6AJ6Q0EYY12+cPOJ26T/YW4rqspYd6tJfHaLiLCyFlBmDKICdUdF8QzXbnuvTkkZCOJCH3Mc0JlnTahklC43TAm9OYxImQtE/9+fv0AR7Zq9hBlqyMAAAAASUVORK5CYII=';
const IMAGE = { type: 'image/png', value: PNG };

const TOKEN = {
  id: PROFILE.id,
  tokenValue: 'ABCDEFGHIJKLMNOPQRST',
  tokenCreationDateTime: '2026-11-24T09:00:00Z',
  tokenExpirationDateTime: PROFILE.tokenExpirationDateTime,
  qrCodeContent: '{"android.app.extra.PROVISIONING_ADMIN_EXTRAS_BUNDLE":{}}',
  qrCodeImage: IMAGE,
};

const toHeaders = (...names: readonly HeaderName[]) =>
  toHeaderRefs(...ALWAYS, ...LIMITS, 'Cache-Control', ...names);

const json = (schema: string, example: unknown) => ({
  'application/json': { schema: { $ref: `#/components/schemas/${schema}` }, example },
});

const toJsonResponse = (
  description: string,
  schema: string,
  example: unknown,
  ...headers: readonly HeaderName[]
) => ({
  description,
  headers: toHeaders(...headers),
  content: json(schema, example),
});

const empty = (description: string) => ({ description, headers: toHeaders() });

/** What each operation is answered with when it succeeded, by status. */
export const SUCCESS_RESPONSES: Readonly<Record<OperationName, Readonly<Record<string, object>>>> = {
  createToken: {
    '200': toJsonResponse(
      'Created; the token of this creation, because it was preferred.',
      'EnrollmentToken',
      TOKEN,
      'Preference-Applied',
    ),
    '204': empty(
      'Created. Also when the token was preferred and could not be read: then without Preference-Applied.',
    ),
  },
  revokeToken: { '204': empty('Revoked.') },
  listProfiles: {
    '200': toJsonResponse('One page of profiles.', 'EnrollmentProfilePage', { value: [PROFILE] }),
  },
  getProfile: { '200': toJsonResponse('The profile without its secrets.', 'EnrollmentProfile', PROFILE) },
  getEnrollmentToken: { '200': toJsonResponse('The current token.', 'EnrollmentToken', TOKEN) },
  getQrCodeImage: {
    '200': {
      description:
        'The QR code of the current token. The PNG carries a Content-Disposition with a file name.',
      headers: { ...toHeaders(), ...toOptionalHeaderRefs('Content-Disposition') },
      content: {
        // Raw bytes have no schema (OpenAPI 3.1, Working with Binary Data), and JSON no way to write them.
        'image/png': { examples: { qrCode: { summary: 'The bytes, here in base64', value: PNG } } },
        ...json('QrCodeImage', IMAGE),
      },
    },
  },
};
