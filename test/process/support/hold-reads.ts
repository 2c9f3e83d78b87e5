// Preloaded into the service: whoever reads an open file waits until the pipe that HOLD_READS names was written to its end.
import { open, readFile, type FileHandle } from 'node:fs/promises';

type Read = (this: FileHandle, ...given: unknown[]) => Promise<unknown>;

const pipe = process.env['HOLD_READS'] ?? '';
const probe = await open(import.meta.filename);
const prototype: object = Object.getPrototypeOf(probe);
await probe.close();
const read: Read = Reflect.get(prototype, 'read');
let released: Promise<unknown> | undefined;

const heldRead: Read = async function (...given) {
  await (released ??= readFile(pipe));
  return read.apply(this, given);
};
Object.assign(prototype, { read: heldRead });
