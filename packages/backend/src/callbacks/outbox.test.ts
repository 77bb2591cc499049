import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Scope, VirtualClock } from '@berth/service';
import { RecordingLog } from '@berth/service/testing';
import { describe, expect, it } from 'vitest';
import type { Owed } from '../lease/index.ts';
import { verify } from '../signature/index.ts';
import { CallbackStore } from '../stores/index.ts';
import { storeFolder } from '../testing/store-folder.ts';
import { CallbackOutbox } from './outbox.ts';
import { sendCallback } from './send.ts';

const secret = '0123456789abcdef0123456789abcdef';
const day = 86_400_000;

/** A daemon that receives callbacks, and answers as the test says. */
class Daemon implements AsyncDisposable {
  readonly received: { body: Record<string, unknown>; signed: boolean; path: string }[] = [];
  answer: (response: ServerResponse) => void = (response) => void response.writeHead(200).end('ok');
  readonly #server = createServer((request, response) => void this.#take(request, response));
  readonly #clock: VirtualClock;

  private constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  static async start(clock: VirtualClock): Promise<Daemon> {
    const daemon = new Daemon(clock);
    await new Promise<void>((resolve) => daemon.#server.listen(0, '127.0.0.1', resolve));
    return daemon;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/callbacks/provision?via=%20lab`;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const signature = String(request.headers['x-fred-signature']);
    const signedRequest = { method: 'POST', target: request.url ?? '', body };
    this.received.push({
      body: JSON.parse(body.toString()),
      signed: verify(secret, signature, signedRequest, this.#clock.now()),
      path: request.url ?? '',
    });
    this.answer(response);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

class Bench implements AsyncDisposable {
  readonly clock: VirtualClock;
  readonly daemon: Daemon;
  readonly logs = new RecordingLog();
  readonly outcomes: string[] = [];
  storeFailures = 0;
  readonly #folder = storeFolder();
  #scope: Scope;
  store: CallbackStore;
  outbox: CallbackOutbox;

  readonly #maxAgeMs: number;

  private constructor(clock: VirtualClock, daemon: Daemon, maxAgeMs: number) {
    this.clock = clock;
    this.daemon = daemon;
    this.#maxAgeMs = maxAgeMs;
    [this.#scope, this.store, this.outbox] = this.#open();
  }

  static async start({ maxAgeMs = day } = {}): Promise<Bench> {
    const clock = new VirtualClock();
    return new Bench(clock, await Daemon.start(clock), maxAgeMs);
  }

  #open(): [Scope, CallbackStore, CallbackOutbox] {
    const scope = new Scope('test', (error, task) => this.logs.log.error(task, { error: String(error) }));
    const store = new CallbackStore(this.#folder.path('callbacks.db'));
    const outbox = new CallbackOutbox({
      scope,
      clock: this.clock,
      random: () => 0,
      log: this.logs.log,
      store,
      send: sendCallback,
      backendName: 'docker-1',
      maxAgeMs: this.#maxAgeMs,
      secret,
      verifyTls: true,
      meter: {
        delivered: (outcome) => void this.outcomes.push(outcome),
        storeFailed: () => void this.storeFailures++,
      },
    });
    return [scope, store, outbox];
  }

  owed(status: Owed['status'], more: Partial<Owed> = {}): Owed {
    return { callbackUrl: this.daemon.url, status, atMs: this.clock.now(), ...more };
  }

  async tell(lease: string, status: Owed['status'], more: Partial<Owed> = {}): Promise<void> {
    const owed = this.owed(status, more);
    await this.outbox.enqueue(lease, owed);
    this.outbox.deliver(lease, owed);
  }

  async restart(): Promise<void> {
    await this.#scope.close();
    this.store.file.close();
    [this.#scope, this.store, this.outbox] = this.#open();
    this.outbox.replay();
  }

  get statuses(): unknown[] {
    return this.daemon.received.map(({ body }) => `${body['lease_uuid']} ${body['status']}`);
  }

  /** Lets time pass in small steps, as sockets need real turns of the loop. */
  async until(what: string, condition: () => boolean, stepMs = 0): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
      await this.clock.advance(stepMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
    this.store.file.close();
    this.#folder[Symbol.dispose]();
    await this.daemon[Symbol.asyncDispose]();
  }
}

const failing = (status: number) => (response: ServerResponse) => void response.writeHead(status).end('no');

describe('a callback', () => {
  it('arrives once, signed over its target, in the form that the daemon expects', async () => {
    await using bench = await Bench.start();
    await bench.tell('a', 'failed', { error: 'image pull failed' });
    await bench.until('it arrived', () => bench.outcomes.length === 1);
    await bench.tell('b', 'deprovisioned', { retained: true });
    await bench.until('it arrived', () => bench.outcomes.length === 2);
    expect(bench.daemon.received).toEqual([
      {
        body: { lease_uuid: 'a', status: 'failed', error: 'image pull failed', backend: 'docker-1' },
        signed: true,
        path: '/callbacks/provision?via=%20lab',
      },
      {
        body: { lease_uuid: 'b', status: 'deprovisioned', backend: 'docker-1', retained: true },
        signed: true,
        path: '/callbacks/provision?via=%20lab',
      },
    ]);
    await bench.until('nothing is left', () => bench.store.list().entries.length === 0);
    expect(bench.outbox.pending).toBe(0);
  });

  it('is on disk before the first attempt', async () => {
    await using bench = await Bench.start();
    await bench.outbox.enqueue('a', bench.owed('success'));
    expect(bench.store.list().entries).toHaveLength(1);
    expect(bench.daemon.received).toEqual([]);
  });

  it('that recovery has handed over is not sent a second time by the replay', async () => {
    await using bench = await Bench.start();
    await bench.tell('a', 'success');
    const owed = bench.owed('failed');
    await bench.outbox.enqueue('b', owed);
    bench.outbox.replay();
    bench.outbox.deliver('b', owed);
    await bench.until('both arrived', () => bench.outcomes.length === 2);
    await bench.until('nothing is left', () => bench.store.list().entries.length === 0);
    expect(bench.statuses.toSorted()).toEqual(['a success', 'b failed']);
  });

  it('is not sent by the delivery of an older one, neither before it is on disk nor after', async () => {
    await using bench = await Bench.start();
    const [older, newer] = [bench.owed('success'), bench.owed('deprovisioned')];
    await bench.outbox.enqueue('a', older);
    const enqueued = bench.outbox.enqueue('a', newer);
    bench.outbox.deliver('a', older);
    await enqueued;
    bench.outbox.deliver('a', older);
    await bench.until('the older one is told', () => bench.outcomes.length === 1);
    await bench.until('nothing is under way', () => bench.outbox.pending === 0);
    expect(bench.statuses).toEqual(['a success']);
    bench.outbox.deliver('a', newer);
    await bench.until('nothing is left', () => bench.store.list().entries.length === 0);
    expect(bench.statuses).toEqual(['a success', 'a deprovisioned']);
  });

  it('is sent once, at whatever moment of its way the stored ones are replayed', async () => {
    await using bench = await Bench.start();
    const told = bench.tell('a', 'success');
    const isOver = (): boolean => {
      bench.outbox.replay();
      return bench.outcomes.length > 0 && bench.store.list().entries.length === 0;
    };
    for (let turn = 0; !isOver(); turn++) await (turn % 20 === 0 ? bench.clock.advance(0) : undefined);
    await told;
    await bench.until('nothing is under way', () => bench.outbox.pending === 0);
    expect(bench.statuses).toEqual(['a success']);
  });

  it('is cut to 256 bytes, on the border of a character', async () => {
    await using bench = await Bench.start();
    await bench.tell('a', 'failed', { error: `x${'é'.repeat(200)}` });
    await bench.until('it arrived', () => bench.outcomes.length === 1);
    const error = String(bench.daemon.received[0]?.body['error']);
    expect(Buffer.byteLength(error)).toBeLessThanOrEqual(256);
    expect(error).toBe(`x${'é'.repeat(126)}...`);
  });

  it('is tried at once, after 1 s and after 5 s more, and then again and again at growing intervals', async () => {
    await using bench = await Bench.start();
    bench.daemon.answer = failing(503);
    await bench.tell('a', 'success');
    const attemptsAt = async (count: number, passedMs: number): Promise<void> => {
      await bench.until(`attempt ${count}`, () => bench.daemon.received.length >= count);
      expect(bench.daemon.received).toHaveLength(count);
      await bench.until(
        'the answer is taken',
        () => bench.logs.attrsOf('callback attempt failed').length >= count,
      );
      await bench.clock.advance(passedMs);
    };
    await attemptsAt(1, 1000);
    await attemptsAt(2, 5000);
    await attemptsAt(3, 60_000);
    expect(bench.outcomes).toEqual(['failure']);
    await attemptsAt(4, 1000);
    await attemptsAt(5, 5000);
    bench.daemon.answer = failing(204);
    await bench.clock.advance(0);
    await bench.until('it arrived', () => bench.outcomes.length >= 2, 1000);
    expect(bench.outcomes.at(-1)).toMatch(/success|failure/);
    await bench.until('it arrived', () => bench.outbox.pending === 0, 10_000);
    expect(bench.outcomes.at(-1)).toBe('success');
    expect(bench.daemon.received.every(({ signed }) => signed)).toBe(true);
  });

  it('does not wait longer than 10 s for an answer', async () => {
    await using bench = await Bench.start();
    bench.daemon.answer = () => undefined;
    await bench.tell('a', 'success');
    await bench.until('the daemon has it', () => bench.daemon.received.length === 1);
    await bench.clock.advance(10_000);
    await bench.until('the attempt ended', () => bench.logs.messages().includes('callback attempt failed'));
    expect(bench.logs.attrsOf('callback attempt failed')[0]?.['error']).toContain(
      'took longer than 10000 ms',
    );
  });

  it('does not follow a redirect', async () => {
    await using bench = await Bench.start();
    bench.daemon.answer = (response) => void response.writeHead(302, { Location: bench.daemon.url }).end();
    await bench.tell('a', 'success');
    await bench.until('the attempt ended', () => bench.logs.messages().includes('callback attempt failed'));
    expect(bench.daemon.received).toHaveLength(1);
  });

  it('that has not arrived is replaced by the newer outcome of the same lease, which does not wait for the pause', async () => {
    await using bench = await Bench.start();
    bench.daemon.answer = failing(500);
    await bench.tell('a', 'success');
    await bench.until('the delivery failed', () => bench.outcomes.length === 1, 1000);
    bench.daemon.answer = failing(200);
    await bench.tell('a', 'deprovisioned');
    await bench.until('it arrived', () => bench.outcomes.length === 2);
    expect(bench.statuses).toEqual(['a success', 'a success', 'a success', 'a deprovisioned']);
    await bench.until('nothing is left', () => bench.store.list().entries.length === 0);
  });

  it('that comes while the last attempt of an older one fails does not wait for the pause after that', async () => {
    await using bench = await Bench.start();
    const third = Promise.withResolvers<ServerResponse>();
    bench.daemon.answer = (response) => {
      if (bench.daemon.received.length < 3) failing(500)(response);
      else third.resolve(response);
    };
    await bench.tell('a', 'success');
    await bench.until('the daemon has it a third time', () => bench.daemon.received.length === 3, 1000);
    bench.daemon.answer = failing(200);
    await bench.tell('a', 'deprovisioned');
    failing(500)(await third.promise);
    await bench.until('the newer one arrived', () => bench.outcomes.length === 2);
    expect(bench.outcomes).toEqual(['failure', 'success']);
    expect(bench.statuses.slice(2)).toEqual(['a success', 'a deprovisioned']);
  });

  it('that is being delivered goes before the newer one, and does not take that with it', async () => {
    await using bench = await Bench.start();
    const answers: ServerResponse[] = [];
    bench.daemon.answer = (response) => void answers.push(response);
    await bench.tell('a', 'success');
    await bench.until('the daemon has it', () => answers.length === 1);
    const owed = bench.owed('deprovisioned');
    const enqueued = bench.outbox.enqueue('a', owed);
    answers[0]?.writeHead(200).end();
    await enqueued;
    await bench.until('the first is done', () => bench.outcomes.length === 1);
    expect(bench.store.list().entries.map(({ value }) => value.status)).toEqual(['deprovisioned']);
    bench.outbox.deliver('a', owed);
    await bench.until('the daemon has the second', () => answers.length === 2);
    answers[1]?.writeHead(200).end();
    await bench.until('nothing is left', () => bench.store.list().entries.length === 0);
    expect(bench.statuses).toEqual(['a success', 'a deprovisioned']);
  });

  it('of one lease does not wait for that of another', async () => {
    await using bench = await Bench.start();
    bench.daemon.answer = () => undefined;
    await bench.tell('slow', 'success');
    await bench.until('the daemon has it', () => bench.daemon.received.length === 1);
    bench.daemon.answer = failing(200);
    await bench.tell('quick', 'success');
    await bench.until('it arrived', () => bench.outcomes.length === 1);
  });

  it('without a URL is dropped with a warning', async () => {
    await using bench = await Bench.start();
    await bench.tell('a', 'success', { callbackUrl: '' });
    expect(bench.store.list().entries).toEqual([]);
    expect(bench.logs.messages('warn')).toEqual(['no callback URL, nobody is told']);
  });

  it('that cannot be stored is delivered all the same', async () => {
    await using bench = await Bench.start();
    bench.store.file.close();
    await expect(bench.outbox.enqueue('a', bench.owed('success'))).rejects.toThrow();
    expect(bench.storeFailures).toBe(1);
    bench.outbox.deliverUnstored('a', bench.owed('success'));
    await bench.until('it arrived', () => bench.outcomes.length === 1);
  });
});

describe('after a restart', () => {
  it('what had not arrived is delivered, all of it, whatever one entry looks like', async () => {
    await using bench = await Bench.start();
    bench.daemon.answer = failing(500);
    for (const lease of ['a', 'b', 'c']) await bench.tell(lease, 'success');
    await bench.until('all were tried', () => bench.daemon.received.length >= 3);
    bench.store.file.prepare(`UPDATE pending_callbacks SET value = '{' WHERE key = 'b'`).run();
    bench.daemon.received.length = 0;
    bench.daemon.answer = failing(200);
    await bench.restart();
    await bench.until(
      'both arrived',
      () => bench.outcomes.filter((outcome) => outcome === 'success').length === 2,
    );
    expect(new Set(bench.statuses)).toEqual(new Set(['a success', 'c success']));
    expect(bench.logs.attrsOf('stored callback cannot be read, skipped')).toEqual([{ lease_uuid: 'b' }]);
  });

  it('what is too old is dropped', async () => {
    await using bench = await Bench.start();
    bench.daemon.answer = failing(500);
    await bench.tell('a', 'success');
    await bench.until('it was tried', () => bench.daemon.received.length > 0);
    await bench.clock.advance(day + 1);
    bench.daemon.received.length = 0;
    await bench.restart();
    await bench.clock.advance(60_000);
    expect(bench.daemon.received).toEqual([]);
    expect(bench.store.list().entries).toEqual([]);
  });

  it('nothing is too old when no age is set', async () => {
    await using bench = await Bench.start({ maxAgeMs: 0 });
    bench.daemon.answer = failing(500);
    await bench.tell('a', 'success', { atMs: bench.clock.now() - 400 * day });
    await bench.until('it was tried', () => bench.outcomes.length === 1, 1000);
    bench.daemon.received.length = 0;
    bench.daemon.answer = failing(200);
    await bench.restart();
    await bench.until('it arrived', () => bench.outcomes.at(-1) === 'success');
    expect(bench.statuses).toEqual(['a success']);
  });

  it('a shutdown in the middle of an attempt leaves the entry', async () => {
    await using bench = await Bench.start();
    bench.daemon.answer = () => undefined;
    await bench.tell('a', 'success');
    await bench.until('the daemon has it', () => bench.daemon.received.length === 1);
    bench.daemon.answer = failing(200);
    await bench.restart();
    await bench.until('it arrived', () => bench.outcomes.length === 1);
    expect(bench.statuses).toEqual(['a success', 'a success']);
  });
});
