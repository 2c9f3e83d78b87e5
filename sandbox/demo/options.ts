import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SentenceError } from './sentence-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Ports = Readonly<Record<'PORT' | 'ADMIN_PORT' | 'ENTRA_PORT' | 'GRAPH_PORT', number>>;

export type SandboxOptions = Readonly<{
  /** Ends after the first token. */
  once: boolean;
  /** Absolute path of the file that says where everything is. */
  readyFile: string | undefined;
  /** 0 picks a free one. */
  ports: Ports;
}>;

/** Throws a SentenceError for an option or a port that is none. */
export function parseOptions(
  args: readonly string[],
  environment: Environment,
  directory: string,
): SandboxOptions {
  const { once, 'ready-file': readyFile } = parseFlags(args);
  // Nobody calls a sandbox that ends at once, so it takes no port that may be in use.
  const readPort = (name: string, usual: number): number =>
    parsePort(name, environment[name], once ? 0 : usual);
  return {
    once,
    readyFile: readyFile === undefined ? undefined : resolve(directory, readyFile),
    ports: {
      PORT: readPort('PORT', 8080),
      ADMIN_PORT: readPort('ADMIN_PORT', 9090),
      ENTRA_PORT: readPort('ENTRA_PORT', 0),
      GRAPH_PORT: readPort('GRAPH_PORT', 0),
    },
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { once: { type: 'boolean', default: false }, 'ready-file': { type: 'string' } },
    }).values;
  } catch {
    throw new SentenceError('The sandbox takes --once and --ready-file FILE, and nothing else.');
  }
}

function parsePort(name: string, text: string | undefined, usual: number): number {
  if (text === undefined || text === '') return usual;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new SentenceError(`${name} must be a port number from 0 (any free one) to 65535.`);
}
