import { describe, expect, it } from 'vitest';
import { commandOf } from './guide.ts';

describe('a line of a guide', () => {
  it('is variables, a program and its arguments', () => {
    expect(commandOf('ANCHORD_ADDRESS=10.42.0.50 docker compose up -d   # starts it')).toEqual({
      text: 'ANCHORD_ADDRESS=10.42.0.50 docker compose up -d',
      env: { ANCHORD_ADDRESS: '10.42.0.50' },
      argv: ['docker', 'compose', 'up', '-d'],
    });
  });

  it('may have quotes around words', () => {
    expect(commandOf("docker inspect -f '{{.State.Health.Status}}' mail-anchord-1")?.argv).toEqual([
      ...['docker', 'inspect', '-f', '{{.State.Health.Status}}', 'mail-anchord-1'],
    ]);
  });

  it('may be empty or a comment', () => {
    expect(commandOf('')).toBeUndefined();
    expect(commandOf('# once per host')).toBeUndefined();
  });

  it('may not need a shell', () => {
    expect(() => commandOf('docker logs x | grep y')).toThrow('needs a shell');
  });
});
