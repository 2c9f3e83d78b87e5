import type { Draft } from './draft.ts';

/** Reports settings that are right by themselves and wrong together. */
export function checkCoherence({ value, problems }: Draft): void {
  const port = value('PORT');
  // Whatever their hosts: one address has many spellings (localhost, 127.0.0.1, ::ffff:127.0.0.1).
  if (port !== undefined && port !== 0 && port === value('ADMIN_PORT')) {
    problems.add(['PORT', 'ADMIN_PORT'], 'two ports', `${port} twice`);
  }

  const deadline = value('REQUEST_DEADLINE_MS');
  const grace = value('SHUTDOWN_GRACE_MS');
  if (deadline !== undefined && grace !== undefined && grace <= deadline) {
    problems.add('SHUTDOWN_GRACE_MS', `more than REQUEST_DEADLINE_MS (${deadline})`, `"${grace}"`);
  }
}
