import { describe, expect, it } from 'vitest';
import { externalRebinderSettings, wrapRebinderSettings } from './rebinders.ts';

const followed = { ANCHORD_FOLLOW_NETWORK: ' peer ', ANCHORD_FOLLOW_TARGET: ' mail ' };

describe('the settings of an external-rebinder', () => {
  it('need a network and a target, and have defaults for the rest', () => {
    expect(externalRebinderSettings(followed)).toMatchObject({
      network: 'peer',
      target: 'mail',
      project: undefined,
      restart: false,
      eventBackoffMs: 2_000,
      pollIntervalMs: 30_000,
    });
  });

  it.each([
    [{}, 'ANCHORD_FOLLOW_NETWORK must be set in external-rebinder mode'],
    [
      { ...followed, ANCHORD_FOLLOW_TARGET: ' ' },
      'ANCHORD_FOLLOW_TARGET must be set in external-rebinder mode',
    ],
    [
      { ...followed, ANCHORD_FOLLOW_EVENT_BACKOFF: '-1' },
      'ANCHORD_FOLLOW_EVENT_BACKOFF must be non-negative',
    ],
    [{ ...followed, ANCHORD_FOLLOW_RESTART: 'yes' }, 'invalid ANCHORD_FOLLOW_RESTART="yes"'],
    [{ ...followed, ANCHORD_FOLLOW_POLL_INTERVAL: '0' }, 'ANCHORD_FOLLOW_POLL_INTERVAL must be positive'],
  ])('%j are refused', (env, text) => {
    expect(() => externalRebinderSettings(env)).toThrow(text);
  });

  it('take no pause at all where that is wanted', () => {
    expect(externalRebinderSettings({ ...followed, ANCHORD_FOLLOW_EVENT_BACKOFF: '0' }).eventBackoffMs).toBe(
      0,
    );
  });
});

describe('the settings of a wrap-rebinder', () => {
  it('need nothing', () => {
    expect(wrapRebinderSettings({})).toMatchObject({
      project: undefined,
      pollIntervalMs: 30_000,
      restartTimeoutMs: 10_000,
    });
    expect(wrapRebinderSettings({ COMPOSE_PROJECT_NAME: ' shop ' }).project).toBe('shop');
  });

  it.each([
    ['ANCHORD_WRAP_POLL_INTERVAL', '0'],
    ['ANCHORD_WRAP_RESTART_TIMEOUT', '-5s'],
  ])('refuse %s=%s', (key, value) => {
    expect(() => wrapRebinderSettings({ [key]: value })).toThrow(`${key} must be positive`);
  });
});
