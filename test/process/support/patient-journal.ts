// Preloaded into a service whose test is about something else: on a machine that stalls, or with a busy disk, a record takes longer than the
// PATIENT_MS milliseconds for which a request waits for it, and 503 would be right.
const PATIENCE = 60_000;

const limit = Number(process.env['PATIENT_MS']);

globalThis.setTimeout = new Proxy(globalThis.setTimeout, {
  apply: (target, self, [run, milliseconds, ...given]: readonly unknown[]) =>
    Reflect.apply(target, self, [run, milliseconds === limit ? PATIENCE : milliseconds, ...given]),
});
