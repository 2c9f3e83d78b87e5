import { readFile, stat } from 'node:fs/promises';

type WatchedFileOptions<Value> = Readonly<{
  path: string;
  parse: (content: string) => Value;
  /** Told once when a changed file cannot be used, not at each look; the last good value stays in use. */
  onFailure?: (error: unknown) => void;
}>;

/**
 * The parsed content of a file that may be replaced at any time (a mounted secret, a rotated token). The file is looked at
 * each time the value is asked for, and parsed again only when its identity, times or size changed. A file that is missing or
 * half written for a moment costs no request: the last good value is kept.
 */
export function createWatchedFile<Value>({
  path,
  parse,
  onFailure,
}: WatchedFileOptions<Value>): () => Promise<Value> {
  let last: Readonly<{ stamp: string; value: Value }> | undefined;
  let looking: Promise<Value> | undefined;
  let reported: string | undefined;

  const look = async (): Promise<Value> => {
    try {
      const { ino, mtimeMs, ctimeMs, size } = await stat(path);
      const stamp = `${ino}:${mtimeMs}:${ctimeMs}:${size}`;
      if (last?.stamp !== stamp) last = { stamp, value: parse(await readFile(path, 'utf8')) };
      reported = undefined;
      return last.value;
    } catch (error) {
      if (last === undefined) throw error;
      if (reported !== String(error)) onFailure?.(error);
      reported = String(error);
      return last.value;
    }
  };

  return () => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
}
