// Removes a directory of this repository: node bin/clean.cjs dist
'use strict';

const fs = require('node:fs');
const path = require('node:path');

for (const directory of process.argv.slice(2)) {
  fs.rmSync(path.join(__dirname, '..', directory), { recursive: true, force: true });
}
