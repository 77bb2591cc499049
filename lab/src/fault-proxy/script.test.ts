import { describe, expect, it } from 'vitest';
import { allowOnly, socketProxy } from './permissions.ts';
import { faultNames, parseRule } from './script.ts';

describe('a rule in words', () => {
  it.each([
    ['GET /events => drop', { on: 'GET /events', fault: { kind: 'drop' } }],
    [
      'POST /containers/*/start => fail-after 500 skip 1 times 2',
      { on: 'POST /containers/*/start', fault: { kind: 'fail-after', status: 500 }, skip: 1, times: 2 },
    ],
    ['* /** => delay 100 times 1', { on: '* /**', fault: { kind: 'delay', ms: 100 }, times: 1 }],
    ['GET /events => lose-events 3', { on: 'GET /events', fault: { kind: 'lose-events', every: 3 } }],
  ])('%s', (text, rule) => {
    expect(parseRule(text)).toEqual(rule);
  });

  it('knows every fault that it lists', () => {
    for (const name of faultNames) {
      const [kind] = name.split(' ');
      expect(parseRule(`GET /x => ${name.replace(/[A-Z]+$/, '1')}`).fault.kind).toBe(kind);
    }
  });

  it.each([
    ['GET /events', 'is not PATTERN => FAULT'],
    ['GET /events => explode', 'is not PATTERN => FAULT'],
    ['GET /events => toString', 'is not PATTERN => FAULT'],
    ['/events => drop', 'is not a method and a path'],
    ['GET /events => cut', 'BYTES has to be a number'],
    ['GET /events => cut -1', 'BYTES has to be a number'],
    ['GET /events => drop twice', 'neither skip N nor times N'],
    ['GET /events => drop times', 'times has to be a number'],
  ])('refuses "%s"', (text, why) => {
    expect(() => parseRule(text)).toThrow(why);
  });
});

describe('permissions', () => {
  it('let pass what a pattern names, in every version, and nothing else', () => {
    const may = allowOnly(['GET /containers/json', 'POST /containers/*/start', 'GET /images/**']);
    expect(may('GET', '/v1.41/containers/json')).toBe(true);
    expect(may('GET', '/containers/json')).toBe(true);
    expect(may('POST', '/v1.45/containers/web/start')).toBe(true);
    expect(may('GET', '/v1.45/images/ghcr.io/org/app/json')).toBe(true);
    expect(may('DELETE', '/v1.45/containers/web')).toBe(false);
    expect(may('POST', '/v1.45/containers/web/x/start')).toBe(false);
    expect(may('GET', '/v1.45/containers/json/x')).toBe(false);
  });

  it("follow a socket proxy's switches", () => {
    const readOnly = socketProxy(['CONTAINERS']);
    expect(readOnly('GET', '/v1.41/containers/web/json')).toBe(true);
    expect(readOnly('GET', '/v1.41/events')).toBe(true);
    expect(readOnly('GET', '/_ping')).toBe(true);
    expect(readOnly('GET', '/v1.41/networks/lan')).toBe(false);
    expect(readOnly('POST', '/v1.41/containers/web/start')).toBe(false);
    const changing = socketProxy(['CONTAINERS', 'NETWORKS', 'POST']);
    expect(changing('DELETE', '/v1.41/containers/web')).toBe(true);
    expect(changing('POST', '/v1.41/networks/lan/connect')).toBe(true);
    expect(changing('POST', '/v1.41/exec/0a/start')).toBe(false);
  });
});
