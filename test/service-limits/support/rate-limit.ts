type WithHeaders = Readonly<{ headers: Headers }>;

/** Where each tier stands, by the `RateLimit` field of an answer: requests left, and seconds until the full quota is back. */
export function readStates({
  headers,
}: WithHeaders): Readonly<Record<string, Readonly<{ r: number; t: number }>>> {
  const items = headers.get('ratelimit')?.split(', ') ?? [];
  return Object.fromEntries(
    items.map((item) => {
      const [, tier = '', r, t] = /^"(\w+)";r=(\d+);t=(\d+)$/.exec(item) ?? [];
      return [tier, { r: Number(r), t: Number(t) }];
    }),
  );
}

/** `Retry-After`, in seconds. */
export const readRetryAfter = ({ headers }: WithHeaders): number => Number(headers.get('retry-after'));
