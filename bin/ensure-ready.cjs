// Makes a fresh clone runnable: checks Node, installs the locked dependencies if they are not those of the lock
// file, and with --built compiles src/ if dist/ is absent. `--quiet` says nothing on success.
// Old syntax on purpose: an old Node must get as far as printing the sentence below.
'use strict';

var childProcess = require('child_process');
var fs = require('fs');
var path = require('path');

var root = path.join(__dirname, '..');

function fail(sentence) {
  process.stderr.write(sentence + '\n');
  process.exit(1);
}

function say(sentence) {
  if (process.argv.indexOf('--quiet') === -1) process.stderr.write(sentence + '\n');
}

function isNodeNewEnough(version) {
  var numbers = version.replace('v', '').split('.').map(Number);
  return numbers[0] > 20 || (numbers[0] === 20 && numbers[1] >= 19);
}

function readPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(path.join(root, file), 'utf8')).packages;
  } catch (error) {
    if (error.code !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** Whether each locked package is there in its locked version; npm keeps a record of what it installed. */
function isInstalled(withDevelopment) {
  var locked = readPackages('package-lock.json');
  var installed = readPackages('node_modules/.package-lock.json');
  if (locked === undefined || installed === undefined) return false;
  return Object.keys(locked).every(function (name) {
    if (name === '') return true;
    if (installed[name] !== undefined) return installed[name].version === locked[name].version;
    return Boolean(
      locked[name].optional ||
      locked[name].peer ||
      (!withDevelopment && (locked[name].dev || locked[name].devOptional)),
    );
  });
}

/** Runs quietly; the result's `output` is what it would have printed. */
function run(command, args) {
  var result = childProcess.spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  var output = (result.stdout || '') + (result.stderr || '');
  return { succeeded: result.status === 0, output: result.error ? result.error.message : output };
}

function install(withDevelopment) {
  say('Installing the locked dependencies (npm ci) …');
  var args = ['ci', '--no-progress'].concat(withDevelopment ? ['--include=dev'] : []);
  var npm = process.env.npm_execpath;
  var result = npm ? run(process.execPath, [npm].concat(args)) : run('npm', args);
  if (result.succeeded) return;
  var code = /npm (?:error|ERR!) code (\S+)/.exec(result.output);
  fail(
    'The dependencies could not be installed' +
      (code ? ' (' + code[1] + ')' : '') +
      '. Check the network and the npm registry settings, then run "npm ci" to see the details.',
  );
}

function build() {
  say('Compiling src/ to dist/ …');
  var compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  var result = run(process.execPath, [compiler, '-p', 'tsconfig.build.json']);
  if (result.succeeded) return;
  fs.rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  process.stderr.write(result.output);
  fail('The sources do not compile. Mend what is named above, then try again.');
}

if (!isNodeNewEnough(process.version)) {
  fail('Node.js 20.19 or newer is needed, this is ' + process.version + '.');
}
var mustBuild = process.argv.indexOf('--built') !== -1 && !fs.existsSync(path.join(root, 'dist', 'main.js'));
var needsDevelopment = process.argv.indexOf('--built') === -1 || mustBuild;
if (!isInstalled(needsDevelopment)) install(needsDevelopment);
if (mustBuild) build();
