import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readExposition } from './exposition.ts';
import { addProcessMetrics, counter, exponential, gauge, histogram, Registry } from './index.ts';

const table = {
  reconciles: counter('anchord_reconcile_total', 'Reconciles.', { labels: { result: ['ok', 'error'] } }),
  entries: gauge('anchord_dnat_entries', 'Entries.', {
    labels: { family: ['v4', 'v6'], proto: ['tcp', 'udp'] },
  }),
  duration: histogram('anchord_reconcile_duration_seconds', 'Duration.', { buckets: [0.01, 0.1, 1] }),
  panics: counter('fred_background_cleanup_panics_total', 'Panics.', {
    labels: { component: ['callback', 'releases'] },
    initial: [],
  }),
  idempotent: counter('idempotent_ops_total', 'Already done.', {
    labels: { op: ['create', 'remove'], reason: ['already_exists', 'not_found'] },
    initial: [
      { op: 'create', reason: 'already_exists' },
      { op: 'remove', reason: 'not_found' },
    ],
  }),
};

function registry() {
  const errors: unknown[] = [];
  const all = new Registry((error) => errors.push(error));
  const metrics = all.add(table);
  const read = () => readExposition(all.expose());
  const values = (name: string) =>
    Object.fromEntries(
      read()
        .get(name)!
        .samples.map((sample) => [
          `${sample.name} ${Object.values(sample.labels).join(' ')}`.trim(),
          sample.value,
        ]),
    );
  return { all, metrics, read, values, errors };
}

describe('a registry', () => {
  it('has every combination of listed labels at zero from the start', () => {
    expect(registry().values('anchord_dnat_entries')).toEqual({
      'anchord_dnat_entries v4 tcp': 0,
      'anchord_dnat_entries v4 udp': 0,
      'anchord_dnat_entries v6 tcp': 0,
      'anchord_dnat_entries v6 udp': 0,
    });
  });

  it('has only the series that the table wants from the start, and leaves out a family that has none yet', () => {
    const { read, metrics, values } = registry();
    expect(read().get('idempotent_ops_total')?.samples).toHaveLength(2);
    expect(read().has('fred_background_cleanup_panics_total')).toBe(false);
    metrics.panics.inc({ component: 'releases' });
    expect(values('fred_background_cleanup_panics_total')).toEqual({
      'fred_background_cleanup_panics_total releases': 1,
    });
  });

  it('writes the text format to the letter', () => {
    const all = new Registry();
    const metrics = all.add({ duration: table.duration, reconciles: table.reconciles });
    metrics.duration.observe(0.01);
    metrics.duration.observe(0.5);
    metrics.duration.observe(7);
    metrics.reconciles.inc({ result: 'error' });
    expect(all.expose()).toBe(`# HELP anchord_reconcile_duration_seconds Duration.
# TYPE anchord_reconcile_duration_seconds histogram
anchord_reconcile_duration_seconds_bucket{le="0.01"} 1
anchord_reconcile_duration_seconds_bucket{le="0.1"} 1
anchord_reconcile_duration_seconds_bucket{le="1"} 2
anchord_reconcile_duration_seconds_bucket{le="+Inf"} 3
anchord_reconcile_duration_seconds_sum 7.51
anchord_reconcile_duration_seconds_count 3
# HELP anchord_reconcile_total Reconciles.
# TYPE anchord_reconcile_total counter
anchord_reconcile_total{result="ok"} 0
anchord_reconcile_total{result="error"} 1
`);
  });

  it('puts a value that is not listed into a series of its own for all of them', () => {
    const { metrics, values } = registry();
    const foreign = JSON.parse('"10.0.0.7"');
    metrics.reconciles.inc({ result: foreign });
    metrics.reconciles.inc({ result: foreign });
    expect(values('anchord_reconcile_total')).toMatchObject({ 'anchord_reconcile_total other': 2 });
  });

  it('bounds the values of an open label', () => {
    const all = new Registry();
    const { requests } = all.add({
      requests: counter('requests_total', 'Requests.', { labels: { route: { atMost: 3 } } }),
    });
    for (let n = 0; n < 1000; n++) requests.inc({ route: `/r${n}` });
    const samples = readExposition(all.expose()).get('requests_total')!.samples;
    expect(samples.map((sample) => [sample.labels['route'], sample.value])).toEqual([
      ['/r0', 1],
      ['/r1', 1],
      ['/r2', 1],
      ['other', 997],
    ]);
  });

  it('never lets a counter go back or a histogram swallow what is no number', () => {
    const { metrics, values } = registry();
    metrics.reconciles.add(-5, { result: 'ok' });
    metrics.reconciles.add(Number.NaN, { result: 'ok' });
    metrics.duration.observe(Number.NaN);
    expect(values('anchord_reconcile_total')).toMatchObject({ 'anchord_reconcile_total ok': 0 });
    expect(values('anchord_reconcile_duration_seconds')).toMatchObject({
      anchord_reconcile_duration_seconds_count: 0,
    });
  });

  it('drops a series that is taken away, and has it back when it is set', () => {
    const { metrics, values } = registry();
    metrics.entries.remove({ family: 'v6', proto: 'udp' });
    expect(Object.keys(values('anchord_dnat_entries'))).toHaveLength(3);
    metrics.entries.set(4, { family: 'v6', proto: 'udp' });
    expect(values('anchord_dnat_entries')['anchord_dnat_entries v6 udp']).toBe(4);
  });

  it('asks collectors when somebody looks, and goes on when one fails', () => {
    const { all, metrics, values, errors } = registry();
    let remaining = 10;
    all.onCollect(() => {
      throw new Error('broken');
    });
    const forget = all.onCollect(() => metrics.entries.set(remaining--, { family: 'v4', proto: 'tcp' }));
    expect(values('anchord_dnat_entries')['anchord_dnat_entries v4 tcp']).toBe(10);
    expect(values('anchord_dnat_entries')['anchord_dnat_entries v4 tcp']).toBe(9);
    forget();
    expect(values('anchord_dnat_entries')['anchord_dnat_entries v4 tcp']).toBe(9);
    expect(errors).toHaveLength(3);
  });

  it('says something in the labels of an info metric', () => {
    const all = new Registry();
    all.info('anchord_build_info', 'Build.', { version: '1.0 "rc"\\\n', commit: 'unknown' });
    expect(readExposition(all.expose()).get('anchord_build_info')?.samples).toEqual([
      { name: 'anchord_build_info', labels: { version: '1.0 "rc"\\\n', commit: 'unknown' }, value: 1 },
    ]);
  });

  it('refuses what would make a page that nobody can read: a family twice, bad names, buckets that do not rise', () => {
    const all = new Registry();
    all.add({ reconciles: table.reconciles });
    expect(() => all.add({ again: table.reconciles })).toThrow('twice');
    expect(() => counter('bad-name', '')).toThrow('no name for a metric');
    expect(() => counter('x_total', '', { labels: { __x: ['a'] } })).toThrow('no name for a label');
    expect(() => histogram('x', '', { buckets: [1], labels: { le: ['a'] } })).toThrow('no name for a label');
    expect(() => histogram('x', '', { buckets: [1, 1] })).toThrow('do not rise');
    expect(() => histogram('x', '', { buckets: [] })).toThrow('do not rise');
  });

  it('is read back as it was written, whatever the label values and numbers are', () => {
    const value = fc.double({ noDefaultInfinity: false, noNaN: false });
    const label = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(fc.array(fc.tuple(label, value), { maxLength: 10 }), fc.string(), (samples, help) => {
        const all = new Registry();
        const { metric } = all.add({ metric: gauge('m', help, { labels: { l: { atMost: 100 } } }) });
        for (const [text, number] of samples) metric.set(number, { l: text });
        const expected = new Map(
          samples.map(([text, number]) => [text.toWellFormed(), Object.is(number, -0) ? 0 : number]),
        );
        const read = readExposition(all.expose()).get('m')?.samples ?? [];
        expect(
          new Map(read.map((sample) => [sample.labels['l'], Object.is(sample.value, -0) ? 0 : sample.value])),
        ).toEqual(expected);
      }),
    );
  });

  it('counts in its buckets what was observed', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -2, max: 20 })), (values) => {
        const all = new Registry();
        const { h } = all.add({ h: histogram('h', '', { buckets: exponential(0.5, 2, 4) }) });
        for (const value of values) h.observe(value);
        const samples = readExposition(all.expose()).get('h')!.samples;
        for (const sample of samples.filter(({ name }) => name === 'h_bucket')) {
          const bound =
            sample.labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(sample.labels['le']);
          expect(sample.value).toBe(values.filter((value) => value <= bound).length);
        }
        expect(samples.find(({ name }) => name === 'h_count')?.value).toBe(values.length);
      }),
    );
  });
});

describe('process metrics', () => {
  it('tell what the kernel says about this process', () => {
    const all = new Registry((error) => {
      throw error;
    });
    addProcessMetrics(all);
    const read = readExposition(all.expose());
    const value = (name: string) => read.get(name)?.samples[0]?.value ?? Number.NaN;
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(value('process_virtual_memory_bytes')).toBeGreaterThan(value('process_resident_memory_bytes'));
    expect(value('process_open_fds')).toBeGreaterThan(2);
    expect(value('process_max_fds')).toBeGreaterThan(value('process_open_fds'));
    expect(
      Math.abs(value('process_start_time_seconds') - (Date.now() / 1000 - process.uptime())),
    ).toBeLessThan(5);
    expect(read.get('nodejs_version_info')?.samples[0]?.labels).toEqual({ version: process.version });
  });
});
