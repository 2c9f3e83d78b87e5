import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';

const firstLine = (program: string, ...args: readonly string[]): string => {
  const { stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  return error ? 'not installed' : (`${stdout}${stderr}`.split('\n')[0] ?? '');
};

const readPackages = (directory: string): Readonly<Record<string, string>> => {
  const lock: unknown = JSON.parse(
    readFileSync(join(import.meta.dirname, directory, 'package-lock.json'), 'utf8'),
  );
  const packages = Object(Reflect.get(Object(lock), 'packages'));
  const named = Object.keys(Object(Reflect.get(Object(packages['']), 'dependencies')));
  return Object.fromEntries(named.map((name) => [name, String(packages[`node_modules/${name}`]?.version)]));
};

/** Where and with what the figures came about. */
export const describeMachine = () => ({
  commit: execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim(),
  time: new Date().toISOString(),
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 1024 ** 3),
  kernel: release(),
  loadBefore: loadavg(),
  node: process.version,
  openssl: process.versions.openssl,
  haproxy: firstLine('haproxy', '-v'),
  nginx: firstLine('nginx', '-v'),
  redis: firstLine('redis-server', '--version'),
  service: readPackages('..'),
  peers: readPackages('.'),
});
