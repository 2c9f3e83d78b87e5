// Removes a directory of this repository: node bin/clean.cjs dist
'use strict';

const { rmSync } = require('node:fs');
const { join } = require('node:path');

for (const directory of process.argv.slice(2)) {
  rmSync(join(__dirname, '..', directory), { recursive: true, force: true });
}
