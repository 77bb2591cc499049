/** A lock between processes that no crash can leave behind: an abstract unix socket, which the kernel takes back. */
import { createHash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';

/** Runs the work while no other process holds the lock of this name. */
export async function withLock<T>(name: string, work: () => Promise<T>, waiting?: () => void): Promise<T> {
  const path = `\0berth-lab-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  const server = await take(path, waiting);
  try {
    return await work();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

async function take(path: string, waiting: (() => void) | undefined): Promise<Server> {
  let said = false;
  for (;;) {
    const server = await listen(path);
    if (server !== undefined) return server;
    if (!said) waiting?.();
    said = true;
    await released(path);
  }
}

function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const holders = new Set<() => void>();
    const server = createServer((waiter) => {
      // Whoever waits hears of our end by the end of this connection.
      holders.add(() => waiter.destroy());
      waiter.on('error', () => undefined).resume();
    });
    const close = server.close.bind(server);
    server.close = (callback) => {
      for (const end of holders) end();
      return close(callback);
    };
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ path }, () => resolve(server));
  });
}

/** Resolves when the holder lets go, or dies. */
function released(path: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.on('error', () => undefined).on('close', () => resolve());
    socket.resume();
  });
}
