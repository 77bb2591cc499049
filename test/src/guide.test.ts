import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandOf, imageOf } from './guide.ts';

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

describe('an image that the docs run', () => {
  const docs = join(import.meta.dirname, '..', '..', 'docs');
  const pages = ['guides', 'guides/operations', 'reference'].flatMap((folder) =>
    readdirSync(join(docs, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => readFileSync(join(docs, folder, name), 'utf8')),
  );
  const found = (pattern: RegExp) => pages.flatMap((page) => page.match(pattern) ?? []);

  it('is one that a guide builds, or stands for one of the reader', () => {
    const built = found(/docker build .*?(?:-t|--tag) \S+/g).map((line) => line.split(' ').at(-1));
    const runs = found(/docker run [^`\n]+/g);
    expect(runs.length).toBeGreaterThan(10);
    const unknown = runs.filter((line) => {
      const image = imageOf(line.split(' '));
      return image === undefined || !(built.includes(image) || image.startsWith('example/'));
    });
    expect(unknown).toEqual([]);
  });
});
