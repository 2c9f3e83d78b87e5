import { runExport, runSearch } from './command-entries.ts';
import { runHash } from './command-hash.ts';
import { runVerify } from './command-verify.ts';
import { EXIT, UsageError } from './command-world.ts';
import type { CommandWorld } from './command-world.ts';

const USAGE = `Usage: npm run -s audit -- <verb> …      (-s: without npm's own lines, which would stand among the output)
       node dist/audit-cli.js <verb> …

  verify DIR [--head [HASH]] [--from HASH]
      Checks every record, the chain over all files, and that each intent has an end.
      --head HASH  the journal must contain this hash; keep the last one elsewhere and nobody can cut the journal
      --head       prints the last hash and nothing else, if the journal is intact
      --from HASH  the hash that the first record continues, where retention removed older files: "previous" of the
                   first record that is left. Note it when you remove them, and keep it elsewhere, as the head
      Exit status: 0 intact, 2 broken, 3 intact but with open intents, 64 called wrongly.

  search DIR [--user U] [--profile ID] [--client ID] [--action A] [--result R] [--since T] [--until T]
             [--request-id ID] [--fingerprint F] [--csv]
      A table on a terminal, else JSON lines. U: object id or user principal name. A: create, revoke, read.
      R: success, failed, unknown, refused, open. T: RFC 3339, a date, or 90m, 24h, 7d ago.

  hash [VALUE]
      The fingerprint of a token (of standard input without VALUE), by AUDIT_HMAC_KEY or AUDIT_HMAC_KEY_FILE.

  export DIR --format ocsf|ecs
      One event a line: OCSF API Activity (6003), or Elastic Common Schema.
`;

const VERBS: Readonly<Record<string, (args: readonly string[], world: CommandWorld) => Promise<number>>> = {
  verify: runVerify,
  search: runSearch,
  hash: runHash,
  export: runExport,
};

/** Runs `audit …`; resolves to the exit status. */
export async function runAuditCommand(args: readonly string[], world: CommandWorld): Promise<number> {
  const [verb = '', ...rest] = args;
  if (['help', '--help', '-h'].includes(verb) || rest.includes('--help')) {
    await world.write(USAGE);
    return EXIT.intact;
  }
  try {
    const run = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
    if (run === undefined) {
      throw new UsageError(verb === '' ? 'A verb is missing.' : `There is no verb "${verb}".`);
    }
    return await run(rest, world);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!isUsageError(error)) {
      world.writeError(`audit: ${message}\n`);
      return EXIT.failed;
    }
    const withHelp = !(error instanceof UsageError) || error.withHelp;
    world.writeError(withHelp ? `${message}\n\n${USAGE}` : `${message}\n`);
    return EXIT.usage;
  }
}

/** Ours, or an option that `parseArgs` does not know. */
function isUsageError(error: unknown): boolean {
  if (error instanceof UsageError) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
