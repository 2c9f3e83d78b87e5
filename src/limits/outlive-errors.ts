import { Redis } from 'ioredis';

const known = new WeakSet<Redis>();
type Connect = (this: Redis, callback?: Parameters<Redis['connect']>[0]) => Promise<void>;

const connect: Connect = Reflect.get(Redis.prototype, 'connect');

export const ignore = (): void => {};

/**
 * ioredis listens for the first error of a connection only. TLS may tell of another behind it (a certificate that is refused, and
 * what the server says to that), which would end this process. For every client, because ioredis makes some of its own, to ask
 * sentinels and the nodes of a cluster.
 */
export function outliveErrors(): void {
  Redis.prototype.connect = function connectAndOutlive(this: Redis, callback) {
    if (!known.has(this)) {
      known.add(this);
      this.on('error', () => {
        const stream: Redis['stream'] | undefined = this.stream;
        if (stream && !stream.listeners('error').includes(ignore)) stream.on('error', ignore);
      });
    }
    return connect.call(this, callback);
  };
}
