import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A directory of one run, on the disk that the journal of a service started here would be on. */
export type Workspace = Readonly<{
  path: (name: string) => string;
  write: (name: string, text: string) => string;
  /** A file of bench/ with each `@NAME@` replaced. */
  fill: (template: string, name: string, values: Readonly<Record<string, string>>) => string;
  remove: () => void;
}>;

const DATA = join(import.meta.dirname, '../data');

export function createWorkspace(): Workspace {
  mkdirSync(DATA, { recursive: true });
  const directory = mkdtempSync(join(DATA, 'bench-'));
  const path = (name: string): string => join(directory, name);
  const write = (name: string, text: string): string => {
    writeFileSync(path(name), text, { mode: 0o600 });
    return path(name);
  };
  return {
    path,
    write,
    fill: (template, name, values) =>
      write(
        name,
        readFileSync(join(import.meta.dirname, template), 'utf8').replaceAll(
          /@([A-Z_]+)@/g,
          (mark, key: string) => {
            const value = key === 'DIR' ? directory : values[key];
            if (value === undefined)
              throw new Error(`${template} has the mark ${mark}, for which there is no value`);
            return value;
          },
        ),
      ),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
