/** The time that everything done for one caller may take. */
export type Deadline = Readonly<{
  /** Aborted when the time is up. */
  signal: AbortSignal;
  /** Milliseconds left; never negative. */
  remainingMs: () => number;
  /** Releases the timer once the answer is decided. */
  clear: () => void;
}>;

export function startDeadline(milliseconds: number, now: () => number = Date.now): Deadline {
  const end = now() + milliseconds;
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), milliseconds);
  return {
    signal: controller.signal,
    remainingMs: () => (controller.signal.aborted ? 0 : Math.max(0, end - now())),
    clear: () => clearTimeout(timer),
  };
}
