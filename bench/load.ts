import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** What one round of load saw. Latencies are milliseconds. */
export type LoadResult = Readonly<{
  answers: number;
  seconds: number;
  p50: number;
  p99: number;
  /** Number of answers by status. */
  statuses: Readonly<Record<string, number>>;
}>;

export type LoadOptions = Readonly<{
  port: number;
  connections: number;
  /** The next request as it goes over the wire; `undefined` when there is no more. */
  next: () => string | undefined;
  /** Ends the round; whatever is under way is still waited for. */
  milliseconds: number;
  /** PEM of the authority to be trusted: over TLS. */
  ca?: string;
}>;

const HEAD_END = '\r\n\r\n';

/** Bytes that the first answer in the text takes, or `undefined` while it is incomplete. */
function toAnswerLength(text: string): number | undefined {
  const headEnd = text.indexOf(HEAD_END);
  if (headEnd === -1) return undefined;
  const bodyStart = headEnd + HEAD_END.length;
  if (text.startsWith(' 204 ', 8)) return bodyStart;
  const head = text.slice(0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return bodyStart + Number(length);
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return bodyStart;
  const end = text.indexOf('0\r\n\r\n', bodyStart);
  return end === -1 ? undefined : end + 5;
}

/**
 * A closed loop over plain sockets: each connection sends its next request once it has its answer. It parses as little as
 * it can, so that one core carries it beside the upstream.
 */
export async function runLoad({
  port,
  connections,
  next,
  milliseconds,
  ca,
}: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  const begin = performance.now();

  const runConnection = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let socket: Socket;
      let received = '';
      let sentAt = 0;
      const sendNext = () => {
        const request = performance.now() - begin < milliseconds ? next() : undefined;
        if (request === undefined) {
          socket.destroy();
          resolve();
          return;
        }
        sentAt = performance.now();
        socket.write(request, 'latin1');
      };
      const open = () => {
        received = '';
        const to = { port, host: '127.0.0.1' };
        socket =
          ca === undefined
            ? connect({ ...to, noDelay: true }, sendNext)
            : connectTls({ ...to, ca }, sendNext);
        socket.setEncoding('latin1');
        socket.once('error', reject);
        socket.once('end', () => {
          socket.destroy();
          if (received === '' && performance.now() - begin < milliseconds) open();
          else resolve();
        });
        socket.on('data', (chunk: string) => {
          received += chunk;
          const length = toAnswerLength(received);
          if (length === undefined || received.length < length) return;
          latencies.push(performance.now() - sentAt);
          const status = received.slice(9, 12);
          statuses[status] = (statuses[status] ?? 0) + 1;
          received = received.slice(length);
          sendNext();
        });
      };
      open();
    });

  await Promise.all(Array.from({ length: connections }, runConnection));
  const seconds = (performance.now() - begin) / 1000;
  const sorted = Float64Array.from(latencies).toSorted();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { answers: sorted.length, seconds, p50: at(0.5), p99: at(0.99), statuses };
}
