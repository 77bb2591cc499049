/**
 * How a command in the same container gets at the state of the process that runs there: it connects to a socket in the
 * container's own file system, and reads one JSON document. The HTTP listener has pages of its own, is off in some
 * set-ups, and shares its port with every program of the namespace; this is none of that.
 */
import { existsSync, mkdirSync, readlinkSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import type { Clock, Scope } from '@berth/service';
import type { Log } from '@berth/service/log';
import { anchordErrors } from '../errors.ts';
import { processMessages } from '../messages/index.ts';
import type { Status } from './status.ts';

const statusSocket = '/run/anchord/status.sock';

const patienceMs = 3_000;
/** Room for every port of both families, and more; beyond it what answers is no anchor. */
const mostBytes = 64 * 1024 * 1024;

/** The same for all processes of a container, and for no other container's. */
export const ownMounts = (): string => readlinkSync('/proc/self/ns/mnt');

export interface StatusSocketParts {
  readonly log: Log;
  readonly clock: Pick<Clock, 'after'>;
  readonly describe: () => Status;
}

/**
 * Throws `ALREADY_RUNNING` when another process of this container answers there already: two that keep one namespace would
 * undo each other's work. True when a process of another container does.
 */
export async function refuseSecond(
  clock: Pick<Clock, 'after'>,
  path: string = statusSocket,
): Promise<boolean> {
  if (!existsSync(path)) return false;
  const other = await askStatus(clock, path);
  if (typeof other === 'string') return false;
  if (other.mounts !== ownMounts()) return true;
  throw anchordErrors.error(
    'ALREADY_RUNNING',
    `an anchor (${other.mode}, process ${other.pid}) runs in this container already`,
  );
}

/** Answers until the scope ends. A second process of the container is refused; anything else is told and stops nothing. */
export async function serveStatus(
  scope: Scope,
  { log, clock, describe }: StatusSocketParts,
  path: string = statusSocket,
): Promise<void> {
  if (await refuseSecond(clock, path)) {
    log.say(processMessages.statusSocketFailed, { path, err: 'another container answers there' });
    return;
  }
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.end(JSON.stringify(describe()));
  });
  server.maxConnections = 8;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    // What a process that was killed has left.
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (err) {
    log.say(processMessages.statusSocketFailed, { path, err });
    return;
  }
  server.on('error', (err) => log.say(processMessages.statusSocketFailed, { path, err }));
  scope.defer(() => void server.close(), 'status socket');
}

/** The state of the process that answers there, or why there is none. */
export function askStatus(
  clock: Pick<Clock, 'after'>,
  path: string = statusSocket,
): Promise<Status | string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const pieces: Buffer[] = [];
    let bytes = 0;
    const finish = (answer: Status | string): void => {
      timer.cancel();
      socket.destroy();
      resolve(answer);
    };
    const timer = clock.after(patienceMs, () => finish(`no answer at ${path} within ${patienceMs} ms`));
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes > mostBytes) finish(`the answer at ${path} has no end`);
    });
    socket.once('error', (error) => finish(`nobody answers at ${path}: ${error.message}`));
    socket.once('end', () => finish(parsed(Buffer.concat(pieces).toString(), path)));
  });
}

function parsed(text: string, path: string): Status | string {
  try {
    // Both ends are of one build: the image's.
    return JSON.parse(text) as Status;
  } catch {
    return `what answers at ${path} is no anchor`;
  }
}
