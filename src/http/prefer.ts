const REPRESENTATION = /^return\s*=\s*(?:representation|"representation")\s*(?:;.*)?$/i;

/**
 * Whether `Prefer` (RFC 7240) asks for the created thing in the answer. Of several `return` preferences the first counts
 * (section 2); every other preference is passed over.
 */
export function prefersRepresentation(header: string | readonly string[] | undefined): boolean {
  const preferences = [header ?? []].flat().flatMap((line) => line.split(','));
  const first = preferences.map((text) => text.trim()).find((text) => /^return\s*=/i.test(text));
  return first !== undefined && REPRESENTATION.test(first);
}
