import { execFileSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '../../..');

/**
 * Compiles a TypeScript file that imports nothing but Node's modules and its neighbours, so that a built service can preload it without a
 * loader. Returns the option for `NODE_OPTIONS`.
 */
export function compilePreload(file: string, outDir: string): string {
  const options =
    '--ignoreConfig --module nodenext --target es2023 --types node --rewriteRelativeImportExtensions';
  execFileSync(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    ...options.split(' '),
    '--rootDir',
    import.meta.dirname,
    '--outDir',
    outDir,
    join(import.meta.dirname, file),
  ]);
  return `--import=${pathToFileURL(join(outDir, basename(file, '.ts'))).href}.js`;
}
