const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The claims challenge of Entra or Graph, as minified JSON; `undefined` when it is not a JSON object. */
export function parseClaims(claims: string | undefined): string | undefined {
  const value = parseObject(claims ?? '');
  return value && JSON.stringify(value);
}

/** The client capability that opts into continuous access evaluation: the client can handle claims challenges. */
const HANDLES_CHALLENGES = { values: ['cp1'] };

/** The `claims` parameter with that capability, beside those of a challenge if there is one. */
export function withClientCapability(claims = '{}'): string {
  const challenge = parseObject(claims);
  const asked = challenge?.['access_token'];
  return JSON.stringify({
    ...challenge,
    access_token: { ...(isObject(asked) && asked), xms_cc: HANDLES_CHALLENGES },
  });
}
