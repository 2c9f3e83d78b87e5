import type { Draft } from './draft.ts';

/** Only the disk can say whether AUDIT_DIR is right; what it says is reported with everything else. */
export function checkAuditDirectory(
  { value, problems }: Draft,
  checkDirectory: (path: string) => void,
): void {
  const directory = value('AUDIT_DIR');
  if (directory === undefined || problems.has('AUDIT_DIR')) return;
  try {
    checkDirectory(directory);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    problems.add(
      'AUDIT_DIR',
      'a directory that can be made and written',
      `${problems.shown(directory)}${code}`,
    );
  }
}
