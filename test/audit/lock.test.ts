import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { DirectoryLockedError, lockDirectory } from '../../src/audit/lock.ts';
import { createDirectory } from './support/journal.ts';

const LOCKER = join(import.meta.dirname, 'support', 'locker.ts');

type Locker = Readonly<{ child: ChildProcess; result: string }>;

async function startLocker(t: TestContext, directory: string): Promise<Locker> {
  const child = spawn(process.execPath, ['--import', 'tsx', LOCKER, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [result]: unknown[] = await once(child.stdout, 'data');
  return { child, result: String(result).trim() };
}

async function kill({ child }: Locker): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

test('a lock outlives neither kill -9 nor release, and holds against a stopped process', async (t) => {
  const directory = await createDirectory(t);
  const holder = await startLocker(t, directory);
  assert.equal(holder.result, 'held');
  const refused = (error: unknown) => error instanceof DirectoryLockedError && error.pid === holder.child.pid;
  await assert.rejects(lockDirectory(directory), refused);
  holder.child.kill('SIGSTOP');
  await assert.rejects(lockDirectory(directory), DirectoryLockedError);
  holder.child.kill('SIGCONT');
  await kill(holder);
  const lock = await lockDirectory(directory);
  await assert.rejects(lockDirectory(directory), DirectoryLockedError);
  await lock.release();
  await (await lockDirectory(directory)).release();
  assert.equal((await readdir(directory)).length, 1, 'one stale name stays, not one for each start');
});

test('of many that try at once after a crash, exactly one takes over', async (t) => {
  const directory = await createDirectory(t);
  await kill(await startLocker(t, directory));
  for (let round = 0; round < 40; round += 1) {
    const tries = await Promise.allSettled(Array.from({ length: 12 }, () => lockDirectory(directory)));
    const held = tries.filter((one) => one.status === 'fulfilled');
    assert.equal(held.length, 1);
    for (const one of tries) {
      if (one.status === 'rejected')
        assert.ok(one.reason instanceof DirectoryLockedError, String(one.reason));
    }
    for (const { value } of held) await value.release();
  }
});

test('of several processes that start at once, exactly one takes over', async (t) => {
  const directory = await createDirectory(t);
  await kill(await startLocker(t, directory));
  const lockers = await Promise.all(Array.from({ length: 4 }, () => startLocker(t, directory)));
  assert.deepEqual(lockers.map(({ result }) => result).toSorted(), [
    'DirectoryLockedError',
    'DirectoryLockedError',
    'DirectoryLockedError',
    'held',
  ]);
});

test('a directory whose path is longer than a socket address can be locked', async (t) => {
  const directory = join(await createDirectory(t), 'd'.repeat(100), 'e'.repeat(100));
  await mkdir(directory, { recursive: true });
  const lock = await lockDirectory(directory);
  await assert.rejects(lockDirectory(directory), DirectoryLockedError);
  await lock.release();
  await (await lockDirectory(directory)).release();
});

test('a lock keeps no file open, which would be closed behind its back once nobody remembers the lock', async (t) => {
  const directory = await createDirectory(t);
  const lock = await lockDirectory(directory);
  const targets = (await readdir('/proc/self/fd')).map((fd) =>
    readlink(`/proc/self/fd/${fd}`).catch(() => undefined),
  );
  assert.ok(!(await Promise.all(targets)).includes(directory));
  await lock.release();
});
