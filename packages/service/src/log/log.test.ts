import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duration } from '../duration.ts';
import { Secret } from '../secret.ts';
import { consoleFormat, jsonFormat, type LogFormat, textFormat } from './formats.ts';
import type { Level } from './level.ts';
import { createLog, type LogOptions } from './log.ts';
import { message } from './message.ts';

const noon = { now: () => Date.UTC(2026, 10, 21, 12, 0, 0, 5) };

function capture(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const sink = {
    write: (line: string) => void lines.push(line),
    flush: () => undefined,
    takeDropped: () => 0,
  };
  return { lines, log: createLog({ sink, clock: noon, level: 'debug', ...options }) };
}

function written(
  format: LogFormat,
  msg: string,
  attrs: Record<string, unknown>,
  level: Level = 'info',
): string {
  const { lines, log } = capture({ format });
  log.write(level, msg, attrs);
  return lines.join('');
}

const jsonAttrs = (attrs: Record<string, unknown>): unknown => {
  const { time: _t, level: _l, msg: _m, ...rest } = JSON.parse(written(jsonFormat, 'm', attrs));
  return rest;
};

describe('JSON lines', () => {
  it('begin with time, level and msg and go on with the attributes in their order', () => {
    expect(written(jsonFormat, 'reconciled', { backends: 2, entries: 5, family: 'v4' }, 'warn')).toBe(
      '{"time":"2026-11-21T12:00:00.005Z","level":"WARN","msg":"reconciled","backends":2,"entries":5,"family":"v4"}\n',
    );
  });

  it('write spans as whole nanoseconds, errors as their text with its causes, unset attributes not at all', () => {
    const err = new Error('listen failed', { cause: new Error('address in use') });
    expect(jsonAttrs({ backoff: duration(1500), err, gone: undefined, none: null })).toEqual({
      backoff: 1_500_000_000,
      err: 'listen failed: address in use',
      none: null,
    });
  });

  it('tell all parts of an aggregate error', () => {
    const err = new AggregateError([new Error('v4'), new Error('v6')], 'both failed');
    expect(jsonAttrs({ err })).toEqual({ err: 'both failed: v4; v6' });
  });

  it('do not say a cause twice, nor follow one that leads back', () => {
    const err = new Error('a');
    err.cause = err;
    expect(jsonAttrs({ err, twice: new Error('open: denied', { cause: new Error('denied') }) })).toEqual({
      err: 'a',
      twice: 'open: denied',
    });
  });

  it('keep the record readable when an attribute has the name of one of its own keys', () => {
    expect(JSON.parse(written(jsonFormat, 'm', { msg: 'x', level: 1, time: 2 }))).toEqual({
      time: '2026-11-21T12:00:00.005Z',
      level: 'INFO',
      msg: 'm',
      msg_: 'x',
      level_: 1,
      time_: 2,
    });
  });

  it('write big integers, dates, bytes, maps, sets and nested objects', () => {
    const attrs = {
      big: 2n ** 70n,
      at: new Date(0),
      bytes: Buffer.from('hi'),
      map: new Map([['k', { deep: [1, undefined] }]]),
      set: new Set(['a']),
      nan: Number.NaN,
      inf: Number.NEGATIVE_INFINITY,
    };
    expect(written(jsonFormat, 'm', attrs)).toContain(
      '"big":1180591620717411303424,"at":"1970-01-01T00:00:00.000Z","bytes":"aGk=",' +
        '"map":{"k":{"deep":[1,null]}},"set":["a"],"nan":"NaN","inf":"-Inf"}',
    );
  });
});

describe('A log', () => {
  it('never throws and always writes one line of JSON, whatever the attributes are', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.dictionary(
          fc.string({ unit: 'binary' }),
          fc.anything({
            withBigInt: true,
            withDate: true,
            withMap: true,
            withSet: true,
            withTypedArray: true,
            withNullPrototype: true,
          }),
        ),
        (msg, attrs) => {
          const line = written(jsonFormat, msg, attrs);
          expect(line.indexOf('\n')).toBe(line.length - 1);
          expect(JSON.parse(line).msg).toBe(msg);
          const text = written(textFormat, msg, attrs);
          expect(text.indexOf('\n')).toBe(text.length - 1);
        },
      ),
    );
  });

  it('survives circles, throwing getters, hostile toJSON, functions and symbols', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const trap = {
      get trap(): never {
        throw new Error('no');
      },
    };
    const hostile = {
      toJSON: () => {
        throw new Error('nor this');
      },
    };
    const sameTwice = { a: 1 };
    expect(
      jsonAttrs({ circle, trap, hostile, fn: () => 1, sym: Symbol('s'), twice: [sameTwice, sameTwice] }),
    ).toEqual({
      circle: { self: '[circular]' },
      trap: { trap: '!unreadable: no' },
      hostile: '!unreadable: nor this',
      fn: '() => 1',
      sym: 'Symbol(s)',
      twice: [{ a: 1 }, { a: 1 }],
    });
    const proxy = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('nothing to see');
        },
      },
    );
    expect(() => written(jsonFormat, 'm', proxy)).not.toThrow();
  });

  it('bounds what one line can hold', () => {
    const wide = Array.from({ length: 5000 }, (_, index) => ({ index, text: 'x'.repeat(1000) }));
    let deep: unknown = 'bottom';
    for (let level = 0; level < 10_000; level++) deep = [deep];
    const line = written(jsonFormat, 'y'.repeat(1_000_000), { wide, deep });
    expect(line.length).toBeLessThan(400_000);
    expect(line).toContain('characters more');
    expect(line).toContain('[deeper]');
  });

  it('drops what is below its level, and follows a change of it in every log made from it', () => {
    const { lines, log } = capture({ level: 'warn' });
    const child = log.with({ family: 'v4' });
    child.info('not written');
    expect(child.enabled('info')).toBe(false);
    log.setLevel('info');
    child.info('written', { extra: 1 });
    expect(lines).toEqual([
      '{"time":"2026-11-21T12:00:00.005Z","level":"INFO","msg":"written","family":"v4","extra":1}\n',
    ]);
  });

  it('says nothing of secrets: not of wrapped ones, not of those under a telling name, not of those it knows', () => {
    const { lines, log } = capture();
    const secret = new Secret('hunter2-hunter2');
    log.hide(secret);
    log.error('refused hunter2-hunter2', {
      secret,
      callback_secret: 'plain',
      headers: { Authorization: 'Bearer abc', accept: 'x' },
      err: new Error('bad key hunter2-hunter2'),
      note: `${secret} ${JSON.stringify(secret)}`,
      unset_token: '',
    });
    expect(lines.join('')).not.toMatch(/hunter2|plain|Bearer/);
    expect(JSON.parse(lines.join(''))).toMatchObject({
      msg: 'refused ***',
      unset_token: '',
      err: 'bad key ***',
    });
  });

  it('tells how many lines were lost once the reader is back', () => {
    let dropped = 0;
    const lines: string[] = [];
    const sink = {
      write: (line: string) => void lines.push(JSON.parse(line).msg),
      flush: () => undefined,
      takeDropped: () => {
        const count = dropped;
        dropped = 0;
        return count;
      },
    };
    const log = createLog({ sink });
    dropped = 7;
    log.info('one');
    log.info('two');
    expect(lines).toEqual(['one', 'log lines dropped', 'two']);
  });

  it('does not fall over a sink that throws', () => {
    const sink = {
      write: () => {
        throw new Error('broken');
      },
      flush: () => undefined,
      takeDropped: () => 0,
    };
    expect(() => createLog({ sink }).info('hello')).not.toThrow();
  });

  it('writes the messages of a table at their level', () => {
    const { lines, log } = capture();
    const renewed = message('debug', 'lease renewed', ['ip', 'prev?'], 'The lease goes on.');
    log.say(renewed, { ip: '10.0.0.1' });
    expect(JSON.parse(lines.join(''))).toMatchObject({
      level: 'DEBUG',
      msg: 'lease renewed',
      ip: '10.0.0.1',
    });
  });
});

describe('key=value lines', () => {
  it('quote what needs it, dot nested keys and print spans as literals', () => {
    const attrs = {
      path: '/a b',
      empty: '',
      eq: 'a=b',
      ids: ['x', 'y'],
      lease: duration(90_000),
      image: { name: 'n', tag: 't' },
    };
    expect(written(textFormat, 'callback delivered', attrs)).toBe(
      'time=2026-11-21T12:00:00.005Z level=INFO msg="callback delivered" path="/a b" empty="" eq="a=b" ids="[x y]" ' +
        'lease=1m30s image.name=n image.tag=t\n',
    );
  });
});

describe('lines for people', () => {
  it('show the time of day, the message and the attributes, and the level only when it matters', () => {
    const format = consoleFormat({ color: false });
    expect(written(format, 'lab is up', { hosts: 2 })).toBe('12:00:00 lab is up hosts=2\n');
    expect(written(format, 'slow', {}, 'warn')).toBe('12:00:00 WARN slow\n');
  });

  it('let no control character of a foreign text reach the terminal', () => {
    const line = written(consoleFormat({ color: false }), 'evil \u001b[2J\u0007', {
      name: '\u001b]0;x\u0007',
    });
    expect(line.trimEnd()).not.toMatch(/\p{Cc}/u);
  });
});
