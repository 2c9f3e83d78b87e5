import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { after } from 'node:test';
import { promisify } from 'node:util';
import { z } from 'zod';

const root = join(import.meta.dirname, '../../..');
const run = promisify(execFile);

/** What a clone does not have, and what only a developer's has. */
const NOT_CLONED = new Set(['.git', 'node_modules', 'dist', 'coverage', 'data']);

const Manifest = z.object({ name: z.string(), dependencies: z.record(z.string(), z.string()) });

/** A project of somebody else's, in which this package is installed as `npm run package` makes it. */
export type Consumer = Readonly<{
  directory: string;
  /** Every file of the package, by its path in it. */
  files: readonly string[];
  /** Runs a file of this project with Node.js, and gives what it printed. */
  run: (file: string, environment?: Readonly<Record<string, string>>) => Promise<string>;
}>;

async function link(name: string, modules: string): Promise<void> {
  await mkdir(dirname(join(modules, name)), { recursive: true });
  await symlink(join(root, 'node_modules', name), join(modules, name));
}

/**
 * Packs a fresh clone and unpacks it as npm would install it; `packages` are what the project itself has beside it. What the package
 * depends on is linked from here, because a test reaches no registry; what it does not name among its dependencies is not there.
 */
export async function createConsumer(packages: readonly string[] = []): Promise<Consumer> {
  const directory = await mkdtemp(join(tmpdir(), 'consumer-'));
  after(() => rm(directory, { recursive: true, force: true }));
  const clone = join(directory, 'clone');
  await cp(root, clone, {
    recursive: true,
    filter: (path) => dirname(path) !== root || !NOT_CLONED.has(basename(path)),
  });
  await symlink(join(root, 'node_modules'), join(clone, 'node_modules'));
  await run('npm', ['run', 'package'], { cwd: clone });
  const tarball = (await readdir(clone)).find((name) => name.endsWith('.tgz')) ?? '';

  const modules = join(directory, 'node_modules');
  const { name, dependencies } = Manifest.parse(
    JSON.parse(await readFile(join(root, 'package.json'), 'utf8')),
  );
  const installed = join(modules, name);
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(clone, tarball), '--strip-components=1', '-C', installed]);
  for (const dependency of new Set([...Object.keys(dependencies), ...packages]))
    await link(dependency, modules);
  const entries = await readdir(installed, { recursive: true, withFileTypes: true });
  return {
    directory,
    files: entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(installed, join(entry.parentPath, entry.name))),
    run: async (file, environment = {}) => {
      const options = { cwd: directory, env: { ...process.env, ...environment }, timeout: 120_000 };
      return (await run(process.execPath, [join(directory, file)], options)).stdout;
    },
  };
}
