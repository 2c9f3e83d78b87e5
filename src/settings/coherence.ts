import type { Draft } from './draft.ts';

const WILDCARDS: readonly unknown[] = ['0.0.0.0', '::'];

/** Reports settings that are right by themselves and wrong together. */
export function checkCoherence({ value, problems }: Draft): void {
  const port = value('PORT');
  const hosts = [value('HOST'), value('ADMIN_HOST')];
  const isSameHost = hosts[0] === hosts[1] || hosts.some((host) => WILDCARDS.includes(host));
  if (port !== undefined && port !== 0 && port === value('ADMIN_PORT') && isSameHost) {
    problems.add(['PORT', 'ADMIN_PORT'], 'two ports', `${port} twice`);
  }

  const deadline = value('REQUEST_DEADLINE_MS');
  const grace = value('SHUTDOWN_GRACE_MS');
  if (deadline !== undefined && grace !== undefined && grace <= deadline) {
    problems.add('SHUTDOWN_GRACE_MS', `more than REQUEST_DEADLINE_MS (${deadline})`, `"${grace}"`);
  }
}
