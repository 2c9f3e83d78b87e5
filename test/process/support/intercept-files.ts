import { open, type FileHandle } from 'node:fs/promises';

/** How the journal changes a file. */
export type FileCalls = Readonly<{
  write: (bytes: Buffer, position: number | null) => Promise<void>;
  datasync: () => Promise<void>;
}>;

type Write = (
  this: FileHandle,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number | null,
) => Promise<Readonly<{ bytesWritten: number }>>;
type Datasync = (this: FileHandle) => Promise<void>;

/** Puts something between every file of this process and the disk `below`. What is put there first lies lowest. */
export async function interceptFiles(
  intercept: (file: FileHandle, below: FileCalls) => FileCalls,
): Promise<void> {
  const probe = await open(import.meta.filename);
  const prototype: object = Object.getPrototypeOf(probe);
  await probe.close();
  const write: Write = Reflect.get(prototype, 'write');
  const datasync: Datasync = Reflect.get(prototype, 'datasync');

  const toCalls = (file: FileHandle): FileCalls =>
    intercept(file, {
      write: async (bytes, position) => {
        const { bytesWritten } = await write.call(file, bytes, 0, bytes.byteLength, position);
        if (bytesWritten < bytes.byteLength) throw new Error('the disk of this test is full');
      },
      datasync: () => datasync.call(file),
    });
  const replacedWrite: Write = async function (bytes, offset, length, position) {
    await toCalls(this).write(Buffer.from(bytes.subarray(offset, offset + length)), position);
    return { bytesWritten: length, buffer: bytes };
  };
  const replacedDatasync: Datasync = function () {
    return toCalls(this).datasync();
  };
  Object.assign(prototype, { write: replacedWrite, datasync: replacedDatasync });
}
