// Preloaded into the service: it stops when the sandbox that started it is gone, even if that was killed. The standard
// input is a pipe that nobody writes to, and ends with the sandbox.
import { Socket } from 'node:net';

process.stdin.once('close', () => process.kill(process.pid, 'SIGTERM')).resume();
// It alone does not keep the service running.
if (process.stdin instanceof Socket) process.stdin.unref();
