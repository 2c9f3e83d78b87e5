import type { Commands } from '../http/control.ts';
import type { Faults } from './faults.ts';

export const toFaultCommands = (faults: Faults): Commands => ({
  'GET /sandbox/faults': () => faults.list(),
  'POST /sandbox/faults': (body) => {
    for (const input of [body].flat()) faults.parseAndAdd(input);
  },
  'DELETE /sandbox/faults': () => faults.clear(),
});
