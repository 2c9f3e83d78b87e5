// Preloaded into every test process. To describe a failing `assert.ok(value)` without a message, Node looks for its
// expression in the source; in the one long line that tsx makes of a file it looks for hours, and a red test hangs.
import assert from 'node:assert';
import { syncBuiltinESMExports } from 'node:module';

for (const module of [assert, assert.strict]) {
  Reflect.set(
    module,
    'ok',
    new Proxy(module.ok, {
      apply: (ok, self, [value, message]: readonly unknown[]) =>
        Reflect.apply(ok, self, [value, message ?? 'the value is falsy']),
    }),
  );
}
syncBuiltinESMExports();
