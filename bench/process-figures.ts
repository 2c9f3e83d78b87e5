import { readFileSync, readdirSync } from 'node:fs';

/** Kernel ticks are 10 ms on Linux, whatever the kernel itself counts in (`getconf CLK_TCK`). */
const MICROSECONDS_PER_TICK = 10_000;
const PAGE_BYTES = 4096;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** The fields of /proc/<pid>/stat behind the name, which may hold spaces (proc(5): the first here is field 3). */
const readStat = (pid: number): readonly string[] =>
  read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');

/** A process and its children: nginx answers in a worker. */
const toFamily = (pid: number): readonly number[] => [
  pid,
  ...readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number),
  ),
];

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** CPU time that a process with its children has used, all threads, user and system, in microseconds. */
export const readCpu = (pid: number): number =>
  sum(toFamily(pid).map((member) => Number(readStat(member)[11]) + Number(readStat(member)[12]))) *
  MICROSECONDS_PER_TICK;

/** Resident memory in bytes. */
export const readMemory = (pid: number): number =>
  sum(toFamily(pid).map((member) => Number(read(`/proc/${member}/statm`).split(' ')[1]) * PAGE_BYTES));
