const JSON_TYPE = 'application/json';
const PROBLEM_TYPE = 'application/problem+json';
const PNG_TYPE = 'image/png';

/** Whether a range of `Accept` covers a media type: 3 exactly, 2 by its type, 1 by the wildcard, 0 not at all. */
function toPrecision(range: string, type: string): number {
  if (range === type) return 3;
  if (range === `${type.slice(0, type.indexOf('/'))}/*`) return 2;
  return range === '*/*' ? 1 : 0;
}

/** A weight that cannot be read counts as none given. */
function readWeight(parameters: readonly string[]): number {
  const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice('q='.length) ?? 1);
  return weight >= 0 && weight <= 1 ? weight : 1;
}

/**
 * How much `Accept` wants a media type, from 0 (not at all) to 1 (RFC 9110 section 12.5.1): the most precise range decides. Its
 * parameters but `q` are passed over, because OData clients send `application/json;odata.metadata=minimal` and mean JSON.
 */
function toQuality(accept: string | undefined, type: string): number {
  if (accept === undefined || accept === '' || accept === '*/*') return 1;
  let precision = 0;
  let quality = 0;
  for (const item of accept.toLowerCase().split(',')) {
    const [range = '', ...parameters] = item.split(';').map((part) => part.trim());
    const found = toPrecision(range, type);
    if (found > precision) {
      precision = found;
      quality = readWeight(parameters);
    }
  }
  return quality;
}

/** Whether JSON of either kind is acceptable. */
export const acceptsJson = (accept: string | undefined): boolean =>
  toQuality(accept, JSON_TYPE) > 0 || toQuality(accept, PROBLEM_TYPE) > 0;

/** Whether problem details (RFC 9457) are wanted more than plain JSON; a tie goes to Graph's envelope. */
export const prefersProblemDetails = (accept: string | undefined): boolean =>
  toQuality(accept, PROBLEM_TYPE) > toQuality(accept, JSON_TYPE);

/** Whether a PNG is acceptable, and JSON is not wanted more than it. */
export const prefersPng = (accept: string | undefined): boolean =>
  toQuality(accept, PNG_TYPE) > 0 && toQuality(accept, PNG_TYPE) >= toQuality(accept, JSON_TYPE);
