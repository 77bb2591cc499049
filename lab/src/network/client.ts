/** A client on the LAN (or beyond its router): reaches services and reports what they saw of it. */
import { once } from 'node:events';
import type { Greeting } from '../echo/greeting.ts';
import { labErrors } from '../errors.ts';
import { NamespaceSockets } from '../sockets/namespace-sockets.ts';
import { type Argv, type Finished, must, type RunOptions, run } from '../tools/run.ts';
import { inNamespace } from './namespace.ts';

export interface Service {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;

export class Client implements AsyncDisposable {
  readonly name: string;
  readonly namespace: string;
  readonly v4: string;
  readonly v6: string;
  #sockets: NamespaceSockets | undefined;

  constructor(name: string, namespace: string, addresses: { readonly v4: string; readonly v6: string }) {
    this.name = name;
    this.namespace = namespace;
    this.v4 = addresses.v4;
    this.v6 = addresses.v6;
  }

  exec(argv: Argv, options?: RunOptions): Promise<Finished> {
    return run(inNamespace(this.namespace, argv), options);
  }

  must(argv: Argv, options?: RunOptions): Promise<string> {
    return must(inNamespace(this.namespace, argv), options);
  }

  /** Sockets that live on this client. */
  get sockets(): NamespaceSockets {
    this.#sockets ??= new NamespaceSockets(this.namespace);
    return this.#sockets;
  }

  /** Connects to an echo service and hands back its greeting. */
  async greetTcp({ host, port, timeoutMs = defaultTimeoutMs }: Service): Promise<Greeting> {
    const socket = await this.sockets.tcp({ host, port, timeoutMs });
    try {
      let line = '';
      for await (const chunk of withDeadline(socket, timeoutMs)) {
        line += String(chunk);
        if (line.endsWith('\n')) return JSON.parse(line) as Greeting;
      }
      throw labErrors.error('NOT_READY', `${host}:${port} closed the connection without a greeting`);
    } finally {
      socket.destroy();
    }
  }

  /** Sends one datagram to an echo service and hands back its greeting. */
  async greetUdp(service: Service): Promise<Greeting> {
    await using flow = await this.udpFlow(service);
    return await flow.greet();
  }

  /** A flow of datagrams from one source port: what a connection tracker takes for one conversation. */
  async udpFlow({ host, port, timeoutMs = defaultTimeoutMs }: Service): Promise<UdpFlow> {
    const socket = await this.sockets.udp({ family: host.includes(':') ? 6 : 4 });
    return {
      async greet() {
        const answered = once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) });
        socket.send('who am I?', port, host);
        const [message] = await answered.catch((cause: unknown) => {
          throw labErrors.error('NOT_READY', `no answer from ${host}:${port}/udp within ${timeoutMs} ms`, {
            cause,
          });
        });
        return JSON.parse(String(message)) as Greeting;
      },
      async [Symbol.asyncDispose]() {
        socket.close();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sockets?.[Symbol.asyncDispose]();
    this.#sockets = undefined;
  }
}

export interface UdpFlow extends AsyncDisposable {
  greet(): Promise<Greeting>;
}

function withDeadline(socket: import('node:net').Socket, timeoutMs: number): import('node:net').Socket {
  socket.setTimeout(timeoutMs, () =>
    socket.destroy(labErrors.error('NOT_READY', `connected, but no greeting within ${timeoutMs} ms`)),
  );
  return socket;
}
