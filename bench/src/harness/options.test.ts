import { describe, expect, it } from 'vitest';
import { cases } from '../cases.ts';
import { readOptions, usage } from './options.ts';

const names = (argv: readonly string[]) => {
  const options = readOptions(argv, cases);
  return typeof options === 'string' ? options : options.chosen.map(({ name }) => name);
};

describe('the command line of the benchmarks', () => {
  it('takes every case, or those that have one of the words in their names', () => {
    expect(names([])).toHaveLength(cases.length);
    expect(names(['memory', 'map-re'])).toEqual(['map-replace', 'memory']);
  });

  it.each([
    [['--quick', 'lan'], { quick: true, help: false, json: undefined }],
    [['--json', '-'], { json: '-', quick: false }],
    [['-h'], { help: true }],
    [['--list'], { list: true }],
  ])('reads %j', (argv, wanted) => {
    expect(readOptions(argv, cases)).toMatchObject(wanted);
  });

  it.each([
    [['--quik'], '--quik'],
    [['--json'], '--json'],
    [['--quick=yes'], '--quick'],
    [['latency'], 'no case has "latency" in its name'],
    [['lan', 'latency'], 'no case has "latency" in its name'],
  ])('says what it does not understand of %j', (argv, why) => {
    expect(names(argv)).toContain(why);
  });

  it('names every option and every case in its help', () => {
    const help = usage(cases);
    for (const word of ['--quick', '--json FILE', '--list', '--help', ...cases.map(({ name }) => name)])
      expect(help).toContain(word);
  });
});
